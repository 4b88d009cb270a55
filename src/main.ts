/** What bin/run.js starts: oclif, bundled with the commands. */
export { execute } from '@oclif/core';
