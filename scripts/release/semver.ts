// Semantic versions: https://semver.org, whose own expression this is.
const SEMVER = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/;

export function isSemver(version: string): boolean {
	return SEMVER.test(version);
}

/** Below zero if `a` comes before `b`, as semver.org's point 11 has it. Both have to be semantic versions. */
export function compareVersions(a: string, b: string): number {
	const [first, second] = [partsOf(a), partsOf(b)];
	for (let i = 0; i < 3; i++) {
		const difference = (first.numbers[i] ?? 0) - (second.numbers[i] ?? 0);
		if (difference !== 0) return difference;
	}
	return comparePreReleases(first.preRelease, second.preRelease);
}

function partsOf(version: string): { numbers: number[]; preRelease: string[] } {
	const [, major, minor, patch, preRelease] = SEMVER.exec(version) ?? [];
	return { numbers: [major, minor, patch].map(Number), preRelease: preRelease?.split('.') ?? [] };
}

function comparePreReleases(a: string[], b: string[]): number {
	// 1.0.0 comes after 1.0.0-rc.1
	if (a.length === 0 || b.length === 0) return b.length - a.length;
	for (let i = 0; i < Math.min(a.length, b.length); i++) {
		const difference = compareIdentifiers(a[i] as string, b[i] as string);
		if (difference !== 0) return difference;
	}
	return a.length - b.length;
}

function compareIdentifiers(a: string, b: string): number {
	const [aIsNumber, bIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
	if (aIsNumber && bIsNumber) return Number(a) - Number(b);
	if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
	return a < b ? -1 : Number(a > b);
}
