import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseTrustedKeys } from '../../../../src/lib/evidence/keys/trust.js';
import { verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { ZippedPack } from '../../../../src/lib/evidence/verify/zip.js';

const PACKS = new URL('../../../golden/packs/', import.meta.url).pathname;

describe('packs that older versions wrote', () => {
  it('verify with the keys of that time; what their CSV does not promise is not checked', async () => {
    const trust = parseTrustedKeys(readFileSync(`${PACKS}lukhas-0.1.0.keys`, 'utf8'), 'keys', 0);
    const zip = await ZippedPack.open(`${PACKS}lukhas-0.1.0.zip`);
    const report = await verifyPack(zip, { trust });
    zip.close();
    expect(report.problems).to.deep.equal([]);
    expect(report.counts?.events).to.equal(10);
    expect(report.notChecked.join('\n')).to.match(/safe only where a comma separates/);
  });
});
