// Runs in the page: which texts within an element can't be seen whole, as the box that they are in is too small.
globalThis.cutOff = (root) => {
	const hides = (one) => getComputedStyle(one).overflowX !== 'visible' || getComputedStyle(one).overflowY !== 'visible';
	const holds = (box, text) => text.left >= box.left - 2 && text.right <= box.right + 2 && text.top >= box.top - 2 && text.bottom <= box.bottom + 2;
	const isWhole = (one) => {
		const range = document.createRange();
		range.selectNodeContents(one);
		const text = range.getBoundingClientRect();
		// what is there for screen readers only
		if (text.width < 2 || text.height < 2) return true;
		for (let box = one; box; box = box === root ? null : box.parentElement) if (hides(box) && !holds(box.getBoundingClientRect(), text)) return false;
		return true;
	};
	const hasText = (one) => [...one.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.textContent.trim()) && one.checkVisibility({ opacityProperty: true, visibilityProperty: true });
	const isWholeField = (one) => one.scrollWidth <= one.clientWidth + 2 && (one.tagName === 'INPUT' || one.scrollHeight <= one.clientHeight + 2);
	const all = [root, ...root.querySelectorAll('*')];
	const texts = all.filter((one) => hasText(one) && !isWhole(one)).map((one) => one.textContent.trim());
	const fields = all.filter((one) => ['INPUT', 'TEXTAREA'].includes(one.tagName) && one.checkVisibility() && !isWholeField(one)).map((one) => one.value);
	return [...texts, ...fields];
};
