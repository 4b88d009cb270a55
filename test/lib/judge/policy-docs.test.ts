import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { planPolicy } from '../../../src/lib/judge/plan.js';
import { parsePolicy, parsePolicyText, policyJsonSchema } from '../../../src/lib/judge/policy-schema.js';

interface Schema {
  properties?: Record<string, Schema>;
  default?: unknown;
}

/** Keys as the page writes them (`alpha.rollback`), with their defaults. */
function keysOf(schema: Schema, prefix = ''): [string, unknown][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) =>
    property.properties && !['targets', 'relative'].includes(key)
      ? keysOf(property, `${prefix}${key}.`)
      : [[`${prefix}${key}`, property.default] as [string, unknown]],
  );
}

describe('docs/policy.md', () => {
  let page: string;
  before(async () => {
    page = await readFile('docs/policy.md', 'utf8');
  });
  /** Second column of the table row of a key. */
  const shown = (key: string) =>
    page
      .split('\n')
      .find((line) => line.startsWith(`| \`${key}\` |`))
      ?.split('|')[2]
      ?.trim();

  it('shows policies that are valid', async () => {
    const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text!);
    expect(examples).to.have.length.above(3);
    for (const example of examples) await parsePolicyText(example, example);
  });

  it('lists every key with its default', () => {
    for (const [key, value] of keysOf(policyJsonSchema() as Schema)) {
      expect(shown(key), key).to.be.a('string');
      if (value === undefined) continue;
      expect(shown(key), key).to.equal(`\`${typeof value === 'string' ? value : JSON.stringify(value)}\``);
    }
  });

  it('lists every target and ratio', () => {
    const { targets, relative } = (policyJsonSchema() as Schema).properties!;
    for (const key of [...Object.keys(targets!.properties!), ...Object.keys(relative!.properties!)]) {
      expect(shown(key), key).to.be.a('string');
    }
  });

  it('tells needs as they are planned', () => {
    const rows = [...page.matchAll(/^\| `max_error_rate: ([\d.]+)` \| ([\d,]+) \|/gm)];
    expect(rows).to.have.length(3);
    for (const [, rate, requests] of rows) {
      const policy = parsePolicy({ windowSeconds: 60, targets: { max_error_rate: Number(rate) } });
      const planned = planPolicy(policy, { requestsPerSecond: 1 }).objectives[0]!.promotion.likelyRequests!;
      expect(Number(requests!.replace(',', '')) / planned, rate).to.be.within(1, 1.1);
    }
  });
});
