// Lua: how many wait in a lane.

/** No further arguments. Gives {'count', number}. */
export const waitingScript = `
return {'count', redis.call('ZCARD', queue)}
`;
