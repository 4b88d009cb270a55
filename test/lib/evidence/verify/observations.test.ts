import { expect } from 'chai';
import { verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { inMemory, KEYS, seal, tinyLog, tinyPack } from './tiny-pack.js';

const PACK = tinyPack(tinyLog());
const LINES = PACK.get('observations.ndjson')!.toString().split('\n').slice(0, -1);
/** Three canaries, three lines each. */
const [A, B, C] = [LINES.slice(0, 3), LINES.slice(3, 6), LINES.slice(6)] as [string[], string[], string[]];
const { predicate } = JSON.parse(
  Buffer.from(JSON.parse(PACK.get('statement.dsse.json')!.toString()).payload, 'base64').toString(),
);

/** Signed again by the export key. @param step bytes that are read at a time */
async function problems(lines: readonly string[], step = 8192): Promise<string> {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const pack = seal(new Map(PACK).set('observations.ndjson', bytes), KEYS.export, predicate);
  return (await verifyPack(inMemory(pack, undefined, step), { trust: null })).problems.join('\n');
}

describe('the observations of a pack', () => {
  it('are those of each verdict, in whatever pieces they are read', async () => {
    for (const step of [1, 7, 300, 8192]) expect(await problems([...A, ...B, ...C], step)).to.equal('');
  });

  it('stand in the order of the verdicts, those of a canary together', async () => {
    const misplaced = (id: string) => `observations of ${id} belong to no verdict in the pack, or are out of order`;
    expect(await problems([...B, ...A, ...C])).to.include(misplaced('c-0'));
    expect(await problems([...A, ...C, ...B])).to.include(misplaced('c-1'));
    expect(await problems([...A, ...B, ...C, ...A])).to.include(misplaced('c-0'));
    expect(await problems([...A.slice(0, 2), ...B, ...A.slice(2), ...C])).to.include(misplaced('c-0'));
    expect(await problems([A[1]!, A[0]!, A[2]!, ...B, ...C])).to.include('line 2 is out of order');
    const strange = A.map((line) => line.replace('c-0', 'c-9'));
    for (const lines of [
      [...strange, ...A, ...B, ...C],
      [...A, ...B, ...C, ...strange],
    ]) {
      expect(await problems(lines)).to.include(misplaced('c-9'));
    }
  });

  it('are those that the verdict commits to, and no others', async () => {
    const judged = (id: string) => `verdict on ${id}: its observations differ from those it judged`;
    expect(await problems([...A, B[0]!, B[1]!, B[2]!.replace(/"value":.*?}/, '"value":9}'), ...C])).to.include(
      judged('c-1'),
    );
    expect(await problems([...A, ...B, ...C, C[2]!.replace('"tick":2', '"tick":3')])).to.include(judged('c-2'));
    const part = /entry 7: verdict on c-1: the pack has \d of its 3 observations; it must have all or none/;
    for (const some of [
      B.slice(1),
      B.slice(0, 1),
      B.slice(1).map((line) => line.replace(/"value":.*?}/, '"value":9}')),
    ])
      expect(await problems([...A, ...some, ...C])).to.match(part);
    expect(await problems([...A, 'null', ...B, ...C])).to.include('line 4 is not an observation in canonical JSON');
    expect(await problems([])).to.include('meta.json: counts does not match the pack');
  });
});
