// Lua: looks whether somebody may go now: when a time is over, or a holder may have died.

/** No further arguments. Gives what `advance` gives. */
export const advanceScript = `
return advance()
`;
