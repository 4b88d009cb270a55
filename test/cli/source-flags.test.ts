import { expect } from 'chai';
import { type SourceFlags, sourceFromFlags } from '../../src/cli/source-flags.js';
import { loadConfig } from '../../src/lib/app/config.js';
import type { Env } from '../../src/lib/app/config-files.js';
import { LukhasError } from '../../src/lib/errors.js';
import { BY_GATE, DEFAULT_SIGNALS } from '../../src/lib/metrics/signals/index.js';
import type { SourceDescriptor } from '../../src/lib/metrics/source.js';

/** A configuration as it would be loaded, without files. */
async function chosen(flags: SourceFlags, source: SourceDescriptor = { kind: 'none' }, env: Env = {}) {
  const config = await loadConfig({ env: { HOME: '/nonexistent', ...env }, cwd: '/nonexistent/work' });
  const beside = 'signals' in source ? { arms: source.arms, signals: source.signals } : {};
  return sourceFromFlags(flags, { ...config, source: env['PROM_URL'] ? config.source : source, ...beside });
}

const refusal = (source: Promise<unknown>): Promise<string> =>
  source.then(
    () => expect.fail('the flags were accepted'),
    (error: LukhasError) => {
      expect(error).to.be.instanceOf(LukhasError);
      expect(error.code).to.equal('USAGE');
      return error.message;
    },
  );

const scrapeConfig: SourceDescriptor = {
  kind: 'scrape',
  canaryUrls: ['http://c/metrics'],
  baselineUrls: ['http://b/metrics'],
  arms: { canary: '{version="v2"}', baseline: '{}' },
  signals: { ...DEFAULT_SIGNALS, requests: 'rt_count' },
  timeoutMs: 100,
};

describe('source flags', () => {
  it('leave the configured source alone when none is given', async () => {
    expect(await chosen({ 'canary-label': [] }, scrapeConfig)).to.equal(scrapeConfig);
    expect(await chosen({})).to.deep.equal({ kind: 'none' });
  });

  it('turn a configured source off', async () => {
    expect(await chosen({ source: 'none' }, scrapeConfig)).to.deep.equal({ kind: 'none' });
  });

  it('tell the kind by themselves', async () => {
    expect(await chosen({ 'prom-url': 'http://p' })).to.include({ kind: 'prometheus', url: 'http://p' });
    expect(await chosen({ 'canary-url': 'http://c' })).to.deep.include({ kind: 'scrape', canaryUrls: ['http://c'] });
    expect(await chosen({ input: 'a.ndjson' })).to.deep.equal({ kind: 'ndjson', input: '/nonexistent/work/a.ndjson' });
    expect(await chosen({ input: '-' })).to.deep.equal({ kind: 'ndjson', input: '-' });
  });

  it('win over the environment, whose queries they keep', async () => {
    const env = { PROM_URL: 'http://env', PROM_Q_ERR: 'err' };
    const expected = { kind: 'prometheus', url: 'http://flag', queries: { error_rate: 'err' } };
    expect(await chosen({ 'prom-url': 'http://flag' }, undefined, env)).to.deep.include(expected);
    expect(await chosen({ 'prom-url': 'http://flag' }, undefined, { PROM_Q_ERR: 'err' })).to.deep.include(expected);
    expect(await chosen({ source: 'prometheus' }, undefined, env)).to.include({ url: 'http://env' });
  });

  it('change keys of a configured source of the same kind', async () => {
    expect(await chosen({ 'canary-url': 'http://c2' }, scrapeConfig)).to.deep.equal({
      ...scrapeConfig,
      canaryUrls: ['http://c2'],
    });
    expect(await chosen({ 'canary-label': ['version=v3'] }, scrapeConfig)).to.deep.equal({
      ...scrapeConfig,
      arms: { canary: '{version="v3"}', baseline: '{}' },
    });
  });

  it('tell two versions behind one address apart by labels', async () => {
    const flags = { 'canary-url': 'http://a/metrics', 'canary-label': ['version=v2', 'zone=a=b'] };
    expect(await chosen({ ...flags, 'baseline-label': ['version=v1'] })).to.deep.include({
      baselineUrls: ['http://a/metrics'],
      arms: { canary: '{version="v2",zone="a=b"}', baseline: '{version="v1"}' },
    });
    expect(await chosen(flags)).to.include({ baselineUrls: null });
    expect(await chosen({ 'canary-url': 'dns+http://a/metrics' })).to.deep.include({
      canaryUrls: ['dns+http://a/metrics'],
    });
  });

  it('choose the versions at a Prometheus, configured or named by a flag', async () => {
    const url = 'http://p';
    const config = await loadConfig({ env: { HOME: '/nonexistent', PROM_URL: url }, cwd: '/nonexistent/work' });
    const arms = { canary: '{job="fraud",version="v2"}', baseline: '{job="fraud",version="v1"}' };
    const both = { ...config, arms };
    expect(sourceFromFlags({ 'canary-label': ['job=fraud', 'version=v3'] }, both)).to.deep.include({
      kind: 'prometheus',
      url,
      arms: { canary: '{job="fraud",version="v3"}', baseline: arms.baseline },
    });
    const flags = { 'canary-label': ['version=v3'], 'baseline-label': ['version=v2'], 'prom-url': 'http://flag' };
    expect(await chosen(flags)).to.deep.include({
      kind: 'prometheus',
      url: 'http://flag',
      arms: { canary: '{version="v3"}', baseline: '{version="v2"}' },
    });
    expect(sourceFromFlags({ 'canary-url': 'http://c', 'canary-label': ['version=v3'] }, both)).to.deep.include({
      kind: 'scrape',
      arms: { canary: '{version="v3"}', baseline: arms.baseline },
    });
  });

  it('measure the configured signals of the configured arms, whatever the kind', async () => {
    const config = await loadConfig({ env: { HOME: '/nonexistent' }, cwd: '/nonexistent/work' });
    const signals = { ...DEFAULT_SIGNALS, requests: 'rt_count' };
    const arms = { canary: '{version="v2"}', baseline: '{version="v1"}' };
    const both = { ...config, signals, arms };
    expect(sourceFromFlags({ 'prom-url': 'http://p' }, both)).to.deep.include({ signals, arms });
    expect(sourceFromFlags({ 'canary-url': 'http://c' }, both)).to.deep.include({ signals, arms });
    expect(sourceFromFlags({ 'prom-url': 'http://p' }, config)).to.deep.include({ arms: BY_GATE });
  });

  const refused: [string, SourceFlags, RegExp][] = [
    ['an unknown kind', { source: 'grafana' }, /^--source grafana: must be one of prometheus, scrape, ndjson, none$/],
    ['no address of Prometheus', { source: 'prometheus' }, /^--source prometheus needs --prom-url/],
    ['no address of the canary', { 'baseline-url': 'http://b' }, /^--source scrape needs --canary-url/],
    ['no input', { source: 'ndjson' }, /^--source ndjson needs --input/],
    [
      'flags of another kind',
      { source: 'scrape', 'prom-url': 'http://p' },
      /^--prom-url needs --source prometheus, but --source scrape selects scrape:/,
    ],
    [
      'flags of two kinds',
      { 'prom-url': 'http://p', 'canary-url': 'http://c' },
      /^--canary-url needs --source scrape, but --prom-url selects prometheus:/,
    ],
    [
      'labels of a file',
      { input: 'f', 'canary-label': ['a=b'] },
      /^--canary-label needs --source scrape or prometheus, but --input selects ndjson:/,
    ],
    [
      'flags beside none',
      { source: 'none', input: 'f' },
      /^--input needs --source ndjson, but --source none selects none:/,
    ],
    ['what is no address', { 'canary-url': 'localhost:80' }, /^--canary-url: must start with http:\/\/ or https:\/\//],
    ['a password in an address', { 'prom-url': 'http://u:p@h' }, /^--prom-url: contains a user name or password/],
    [
      'a label without a value',
      { 'canary-url': 'http://c', 'canary-label': ['version'] },
      /^--canary-label "version": must be name=value/,
    ],
    ['a label twice', { 'canary-url': 'http://c', 'canary-label': ['a=1', 'a=2'] }, /^--canary-label a: given twice/],
    [
      'one and the same service as both arms',
      { 'canary-url': 'http://c', 'baseline-url': 'http://c' },
      /same address and labels/,
    ],
  ];
  it('refuse labels that an expression of its own would leave out', async () => {
    const env = { PROM_URL: 'http://p', PROM_Q_ERR: 'err' };
    expect(await refusal(chosen({ 'canary-label': ['version=v3'] }, undefined, env))).to.match(
      /^--canary-label does not change the expression for error_rate:/,
    );
  });

  for (const [what, flags, message] of refused) {
    it(`refuse ${what}`, async () => expect(await refusal(chosen(flags))).to.match(message));
  }

  it('refuse to start without the credentials that the configuration names', async () => {
    const config = await loadConfig({ env: { HOME: '/nonexistent' }, cwd: '/nonexistent' });
    const missing = { ...config, missingEnv: { scrape: ['KEY'], prometheus: ['TOKEN'] } };
    expect(() => sourceFromFlags({ 'prom-url': 'http://p' }, missing))
      .to.throw(LukhasError, 'TOKEN')
      .with.property('code', 'CONFIG');
    expect(() => sourceFromFlags({ 'canary-url': 'http://c' }, missing)).to.throw(LukhasError, 'KEY');
    expect(sourceFromFlags({ source: 'none' }, missing)).to.deep.equal({ kind: 'none' });
  });
});
