import { expect } from 'chai';
import { parseInstant } from '../../../src/lib/input/instant.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');

describe('a point in time', () => {
  const good: Record<string, string> = {
    '2026-02-28T23:00:00Z': '2026-02-28T23:00:00.000Z',
    '2026-02-28t23:00:00.25z': '2026-02-28T23:00:00.250Z',
    '2026-02-28 23:00:00+02:00': '2026-02-28T21:00:00.000Z',
    ' 90s ': '2026-03-01T11:58:30.000Z',
    '1h30m': '2026-03-01T10:30:00.000Z',
    '2028-02-29T00:00:00Z': '2028-02-29T00:00:00.000Z',
    '30d': '2026-01-30T12:00:00.000Z',
  };
  for (const [text, at] of Object.entries(good))
    it(`is read from ${JSON.stringify(text)}`, () => {
      expect(new Date(parseInstant(text, NOW, '--at')).toISOString()).to.equal(at);
    });

  const nonexistent = [
    '2026-02-31T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00+01:00',
    '2026-00-10T00:00:00Z',
  ];
  const impossible = [...nonexistent, '2026-02-00T00:00:00Z', '2026-02-28T24:00:00Z', '99999999999d', '1e9d'];
  const unclear = ['', 'yesterday', '2026-02-28', '2026-02-28T23:00:00', '2026-13-01T00:00:00Z', '90', '-2h', '2x'];
  for (const text of [...impossible, ...unclear])
    it(`is not read from ${JSON.stringify(text)}`, () => {
      expect(() => parseInstant(text, NOW, '--at'))
        .to.throw(/^--at: /)
        .with.property('code', 'USAGE');
    });
});
