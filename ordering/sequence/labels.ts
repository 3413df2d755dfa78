// Names of a step's fields as the node's panel shows them; a test compares the two.
export const stepLabels: Record<string, string> = {};
