import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

const run = promisify(execFile);
const MODULE = fileURLToPath(new URL('../../src/cli/small-heap.ts', import.meta.url));
/** Objects that outlive a few collections, which makes the part of the heap for new ones grow. */
const WORK = `
  const kept = [];
  for (let i = 0; i < 1e6; i++) { kept[i % 50_000] = { i, text: 'text ' + i }; }
  const { space_size } = v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  console.log(space_size / 2 ** 20);`;

describe('the heap of an export', () => {
  it('keeps the part for new objects as small as it was', async () => {
    const size = async (before: string) => {
      const script = `import v8 from 'node:v8'; import { keepHeapSmall } from ${JSON.stringify(MODULE)}; ${before} ${WORK}`;
      const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
      return Number((await run(process.execPath, args)).stdout);
    };
    expect(await size('')).to.be.greaterThan(8);
    expect(await size('keepHeapSmall();')).to.be.lessThan(8);
  });
});
