// Runs in the page. `textsCutOff(root)` lists what a person can't read in full below `root`, and texts that lie on each other;
// `nameOfField(field)` tells fields apart by the parameters that they are in, and what they show.
globalThis.textsCutOff = (root) => {
	/** Rounding of n8n's fractional sizes. */
	const TOLERANCE_PX = 1;
	/** What a person writes into a field may be longer than it; expressions are shown in an editor that scrolls. */
	const EDITORS = '.cm-editor, svg, script, style, [aria-hidden="true"]';
	const pen = document.createElement('canvas').getContext('2d');
	const problems = [];
	const boxes = [];

	const isSeen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !element.closest(EDITORS);
	const short = (text) => text.trim().replaceAll(/\s+/g, ' ');
	const clips = (value) => value !== 'visible';
	const scrolls = (value) => value === 'auto' || value === 'scroll';

	/** A line's box is higher than its letters, which take as much as the font's size; n8n cuts such boxes to a line height of 1. */
	const lettersOf = ({ left, right, top, bottom }, size) => {
		const spare = Math.max(0, bottom - top - size) / 2;
		return { left, right, top: top + spare, bottom: bottom - spare };
	};

	/** Where a text goes beyond what its surroundings show of it. What can be scrolled to from above to below is not cut off. */
	const checkBox = (text, { left, right, top, bottom }, parent) => {
		if (left < -TOLERANCE_PX || right > innerWidth + TOLERANCE_PX) problems.push(`outside the window: ${text}`);
		for (let around = parent, scrolled = false; around && around !== document.body; around = around.parentElement) {
			const style = getComputedStyle(around);
			const box = around.getBoundingClientRect();
			if (style.display === 'inline' || style.display === 'contents') continue;
			if (clips(style.overflowX) && (left < box.left - TOLERANCE_PX || right > box.right + TOLERANCE_PX)) return problems.push(`cut off at the side: ${text}`);
			scrolled ||= scrolls(style.overflowY) && around.scrollHeight > around.clientHeight;
			if (!scrolled && clips(style.overflowY) && (top < box.top - TOLERANCE_PX || bottom > box.bottom + TOLERANCE_PX)) return problems.push(`cut off below: ${text}`);
		}
	};

	const checkText = (node) => {
		const text = short(node.data);
		const parent = node.parentElement;
		if (!text || !parent || !isSeen(parent)) return;
		const style = getComputedStyle(parent);
		// the canvas is shown larger or smaller
		const zoom = parent.getBoundingClientRect().width / parent.offsetWidth || 1;
		const range = document.createRange();
		range.selectNodeContents(node);
		for (const box of range.getClientRects()) {
			if (box.width < 1 || box.height < 1) continue;
			checkBox(text, lettersOf(box, zoom * parseFloat(style.fontSize)), parent);
			boxes.push({ text, box, parent });
		}
		if (clips(style.overflowX) && parent.scrollWidth > parent.clientWidth + TOLERANCE_PX) problems.push(`ends in an ellipsis: ${text}`);
		if (style.webkitLineClamp !== 'none' && parent.scrollHeight > parent.clientHeight + TOLERANCE_PX) problems.push(`has too many lines: ${text}`);
	};

	/** A browser tells no size of the text in a field, so it is measured, or laid out once more. */
	const checkField = (field) => {
		const text = field.value || field.placeholder;
		if (!text || field.type === 'password' && field.value || !isSeen(field)) return;
		const style = getComputedStyle(field);
		const width = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
		if (field.tagName === 'TEXTAREA') {
			const copy = document.createElement('div');
			Object.assign(copy.style, { position: 'fixed', font: style.font, letterSpacing: style.letterSpacing, lineHeight: style.lineHeight, width: `${width}px`, whiteSpace: 'pre-wrap', overflowWrap: 'break-word' });
			copy.textContent = text;
			document.body.append(copy);
			const height = copy.clientHeight;
			copy.remove();
			if (!field.value && height > field.clientHeight) problems.push(`placeholder has too many lines: ${text}`);
		} else {
			pen.font = style.font;
			pen.letterSpacing = style.letterSpacing;
			if (pen.measureText(text).width > width + TOLERANCE_PX) problems.push(`${field.value ? 'value' : 'placeholder'} is too long: ${text}`);
		}
	};

	/** Two texts that share a place; a text within another's element, such as a link, stands in its line. */
	const checkOverlaps = () => {
		for (const [index, one] of boxes.entries()) {
			for (const other of boxes.slice(index + 1)) {
				if (one.parent.contains(other.parent) || other.parent.contains(one.parent)) continue;
				const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
				const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
				if (wide > 2 && high > 2) problems.push(`lie on each other: ${one.text} | ${other.text}`);
			}
		}
	};

	const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) checkText(texts.currentNode);
	for (const field of root.querySelectorAll('input, textarea')) checkField(field);
	checkOverlaps();
	return { problems: [...new Set(problems)], seen: boxes.length };
};

globalThis.nameOfField = (field) => {
	const parameters = [...document.querySelectorAll('[data-test-id^="parameter-input-"]')].filter((one) => one.contains(field)).map(({ dataset }) => dataset.testId.replace('parameter-input-', ''));
	const input = field.querySelector('input');
	return [...parameters, input?.value || input?.placeholder].join(' ');
};
