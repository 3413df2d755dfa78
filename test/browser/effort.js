// Counts what a person does in a page: clicks, and fields typed into. Events that a script made are not trusted.
{
	const effort = { clicks: 0, fields: [] };
	const seen = new Set();
	globalThis.effort = effort;
	globalThis.addEventListener('pointerdown', ({ isTrusted }) => void (isTrusted && effort.clicks++), true);
	globalThis.addEventListener('input', ({ isTrusted, target, inputType }) => {
		if (!isTrusted || inputType === undefined || seen.has(target)) return;
		seen.add(target);
		const parameter = target.closest('[data-test-id^="parameter-input-"]:not([data-test-id="parameter-input-field"])') ?? target.closest('[data-test-id]');
		effort.fields.push(parameter?.dataset.testId.replace('parameter-input-', '') ?? target.tagName);
	}, true);
}
