/**
 * How many cases a property tries: `few` among the unit tests, `all` where LUKHAS_TEST_CASES is "all". `npm run test:e2e`
 * sets that, and runs every file that imports this again.
 */
export function cases(all: number, few = Math.ceil(all / 20)): number {
  return process.env['LUKHAS_TEST_CASES'] === 'all' ? all : few;
}
