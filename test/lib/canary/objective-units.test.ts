import { expect } from 'chai';
import { assertUnits } from '../../../src/lib/canary/objective-units.js';
import type { SourceDescriptor } from '../../../src/lib/metrics/source.js';
import { policy } from '../judge/looks.js';
import { refusal } from '../refusal.js';

const source = (queries: Record<string, string> = {}) =>
  ({
    kind: 'prometheus',
    queries,
    signals: {
      histograms: { ttft: { histogram: 'ttft_seconds', unit: 's' }, tokens: { histogram: 'tokens', unit: '1' } },
    },
  }) as unknown as SourceDescriptor;
const asked = (...objectives: string[]) => policy({ objectives });

describe('units of objectives', () => {
  it('are those of their histogram', () => {
    assertUnits(asked('ttft_p95_ms < 800', 'tokens_p50 <= 100', 'accuracy > 0.9', 'other_p95 < 3'), source());
  });

  it('are an error where they are not', async () => {
    const refused = (objective: string) =>
      refusal(Promise.resolve().then(() => assertUnits(asked(objective), source())));
    const seconds = await refused('ttft_p95 < 0.8');
    expect(seconds.code).to.equal('POLICY');
    expect(seconds.message).to.include('ttft_p95 < 0.8: the histogram ttft measures times');
    expect((await refused('tokens_p95_ms < 8')).message).to.include('not one of times');
  });

  it('are the own ones of an expression', () => {
    assertUnits(asked('ttft_p95 < 0.8'), source({ ttft_p95: 'ttft:p95' }));
  });
});
