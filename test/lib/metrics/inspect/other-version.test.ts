import { expect } from 'chai';
import { otherVersion } from '../../../../src/lib/metrics/inspect/index.js';
import type { Matcher } from '../../../../src/lib/metrics/promql/index.js';

const equal = (labels: Record<string, string>): Matcher[] =>
  Object.entries(labels).map(([label, value]) => ({ label, op: '=', value }));

describe('labels of another version than the model', () => {
  it('are a warning that names both, and the label to change', () => {
    const [found, ...more] = otherVersion('fraud-v3', equal({ job: 'fraud', version: 'v2' }));
    expect(more).to.deep.equal([]);
    expect(found).to.deep.include({ level: 'warning', arm: 'canary' });
    expect(found?.words).to.equal(
      'the model is fraud-v3, and the series that are measured are those with {version="v2"}',
    );
    expect(found?.advice).to.contain('version: v3').and.to.contain('--canary-label');
    expect(otherVersion('rank:1.4.3', equal({ app_version: '1.4.2' }))).to.have.length(1);
    expect(otherVersion('V3', equal({ version: 'v2' }))).to.have.length(1);
  });

  it('are not labels that name the version, another thing, or none', () => {
    for (const [model, labels] of [
      ['fraud-v3', { job: 'fraud', version: 'v3' }],
      ['fraud-v3', { version: 'v2', pod: 'fraud-v3-5d8f' }],
      ['fraud-v3', { track: 'canary' }],
      // Versions of something else: an image, a revision.
      ['fraud-v3', { version: '1.4.2' }],
      ['fraud-v3', { revision: '00012' }],
      ['llama-70b', { version: 'v2' }],
      ['fraud', { version: 'v2' }],
    ] as const)
      expect(otherVersion(model, equal(labels)), `${model} ${JSON.stringify(labels)}`).to.deep.equal([]);
    expect(otherVersion('fraud-v3', [{ label: 'version', op: '=~', value: 'v2' }])).to.deep.equal([]);
  });
});
