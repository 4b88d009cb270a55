/**
 * What a client asks the daemon for, in words that MCP and HTTP share: what the one accepts, the other does.
 */
export { name } from './name.js';
export { evalArguments, planArguments, planRequestOf, startArguments, targets } from './requests.js';
