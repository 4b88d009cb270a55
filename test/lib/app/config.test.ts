import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { type Config, type ConfigInput, loadConfig } from '../../../src/lib/app/config.js';
import type { Env } from '../../../src/lib/app/config-files.js';
import type { LukhasError } from '../../../src/lib/errors.js';
import { ALL_SERIES, BY_GATE, DEFAULT_SIGNALS } from '../../../src/lib/metrics/signals/index.js';

describe('configuration', () => {
  let home: string;
  let project: string;
  beforeEach(async () => {
    home = await realpath(await mkdtemp(join(tmpdir(), 'lukhas-config-')));
    project = join(home, 'work', 'project');
    await mkdir(project, { recursive: true });
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  const load = (env: Env = {}, more: ConfigInput = {}): Promise<Config> =>
    loadConfig({ cwd: project, env: { HOME: home, ...env }, ...more });

  async function put(path: string, text: string): Promise<string> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return path;
  }
  const putProject = (text: string) => put(join(project, 'lukhas.yaml'), text);
  const putUser = (text: string) => put(join(home, '.config', 'lukhas', 'config.yaml'), text);

  const refusal = (config: Promise<Config>): Promise<LukhasError> =>
    config.then(
      () => expect.fail('the configuration was accepted'),
      (error: LukhasError) => {
        expect(error.name).to.equal('LukhasError');
        return error;
      },
    );

  it('passes over a home that cannot be one', async () => {
    const file = await put(join(home, 'file'), '');
    for (const useless of [file, join(file, 'x'), `/${'x'.repeat(300)}`])
      expect((await load({ HOME: useless })).files).to.deep.equal([]);
  });

  it('takes absolute paths where the working directory is gone, and names it where one is relative', async () => {
    const { cwd } = process;
    process.cwd = () => {
      throw Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), {
        code: 'ENOENT',
        syscall: 'uv_cwd',
      });
    };
    try {
      const env = { HOME: home };
      expect((await loadConfig({ env, flags: { db: '/srv/l.db' } })).dbPath).to.equal('/srv/l.db');
      for (const flags of [{}, { db: 'l.db' }, { db: '/srv/l.db', config: 'c.yaml' }]) {
        const error = await refusal(loadConfig({ env, flags }));
        expect(error.code).to.equal('CONFIG');
        expect(error.message).to.contain('working directory');
      }
    } finally {
      process.cwd = cwd;
    }
  });

  it('works without any file', async () => {
    const { actor, ...config } = await load();
    expect(config).to.deep.equal({
      cwd: project,
      dbPath: join(project, '.lukhas', 'lukhas.db'),
      policyPath: null,
      source: { kind: 'none' },
      arms: null,
      signals: DEFAULT_SIGNALS,
      sourceAuth: { scrape: {}, prometheus: {} },
      credentialNames: { scrape: {}, prometheus: {} },
      missingEnv: { scrape: [], prometheus: [] },
      promQueries: {},
      hooks: { promote: [], rollback: [] },
      tasks: {},
      jobs: { concurrency: 2 },
      database: {
        maintenance: { enabled: true, hour: 3 },
        retention: { observationDays: 30 },
        backup: { recipients: [], to: null, command: null, passEnv: [], keep: 14 },
      },
      promotion: { requireCanary: true },
      serve: { apiKeys: [] },
      keys: {
        log: join(project, '.lukhas', 'keys', 'log.pem'),
        export: join(project, '.lukhas', 'keys', 'export.pem'),
        origin: null,
        named: { log: false, export: false },
      },
      evidence: { witnesses: [], anchors: [] },
      files: [],
      sections: {},
    });
    expect(actor.how).to.equal('os-user');
    expect(actor.who).to.not.equal('');
  });

  it('takes the database from the flag, then the environment, the project, and the user', async () => {
    const database = async (env: Env, db?: string) => (await load(env, { flags: { db } })).dbPath;
    await putUser('db: user.db');
    expect(await database({})).to.equal(join(home, '.config', 'lukhas', 'user.db'));
    await putProject('db: data/project.db');
    expect(await database({})).to.equal(join(project, 'data', 'project.db'));
    expect(await database({ LUKHAS_MCP_DB: 'env.db' })).to.equal(join(project, 'env.db'));
    expect(await database({ LUKHAS_MCP_DB: '' })).to.equal(join(project, 'data', 'project.db'));
    expect(await database({ LUKHAS_MCP_DB: 'env.db' }, '/flag.db')).to.equal('/flag.db');
  });

  it('joins the sections of the project and the user, the project winning', async () => {
    const user = await putUser('policy: mine.yaml\nsource: {kind: ndjson, input: user.ndjson}\n');
    const file = await putProject('source: {kind: ndjson, input: project.ndjson}\n');
    const config = await load();
    expect(config.files).to.deep.equal([file, user]);
    expect(config.policyPath).to.equal(join(dirname(user), 'mine.yaml'));
    expect(config.source).to.deep.equal({ kind: 'ndjson', input: join(project, 'project.ndjson') });
  });

  it("does not carry the user's credentials over to the project's source", async () => {
    await putUser('source: {kind: prometheus, url: "http://a", bearerEnv: TOKEN}');
    expect((await load({ TOKEN: 'secret' })).sourceAuth.prometheus).to.deep.equal({ bearer: 'secret' });
    await putProject('source: {kind: prometheus, url: "http://b"}');
    expect((await load({ TOKEN: 'secret' })).sourceAuth.prometheus).to.deep.equal({});
  });

  it('looks for the user file in XDG_CONFIG_HOME when that is absolute', async () => {
    const xdg = join(home, 'xdg');
    const file = await put(join(xdg, 'lukhas', 'config.yaml'), 'db: x.db');
    expect((await load({ XDG_CONFIG_HOME: xdg })).files).to.deep.equal([file]);
    expect((await load({ XDG_CONFIG_HOME: 'xdg' })).files).to.deep.equal([]);
  });

  it('finds the project file above the working directory, below home', async () => {
    const file = await put(join(home, 'work', 'lukhas.yml'), 'db: x.db');
    const config = await load();
    expect(config.files).to.deep.equal([file]);
    expect(config.dbPath).to.equal(join(home, 'work', 'x.db'));
  });

  it('does not look beyond the repository', async () => {
    await put(join(home, 'work', 'lukhas.yaml'), 'db: x.db');
    await mkdir(join(project, '.git'));
    expect((await load()).files).to.deep.equal([]);
  });

  it('looks at the working directory alone outside of home and repositories', async () => {
    await put(join(home, 'work', 'lukhas.yaml'), 'db: x.db');
    const elsewhere = { HOME: join(home, 'nobody') };
    expect((await load(elsewhere)).files).to.deep.equal([]);
    const file = await putProject('db: y.db');
    expect((await load(elsewhere)).files).to.deep.equal([file]);
  });

  it('reads the file that --config names instead of the project file', async () => {
    await putProject('db: project.db');
    const file = await put(join(project, 'ci', 'other.json'), '{"db": "ci.db"}');
    const config = await load({}, { flags: { config: 'ci/other.json' } });
    expect(config.files).to.deep.equal([file]);
    expect(config.dbPath).to.equal(join(project, 'ci', 'ci.db'));
    const error = await refusal(load({}, { flags: { config: 'none.yaml' } }));
    expect(error.message).to.equal(`${join(project, 'none.yaml')}: file not found`);
  });

  it('refuses two project files side by side', async () => {
    await putProject('');
    await put(join(project, 'lukhas.json'), '{}');
    expect((await refusal(load())).message).to.match(/lukhas\.yaml and .*lukhas\.json both exist; remove one$/);
  });

  it('takes ~/ in a file as the home directory', async () => {
    await putProject('policy: ~/slo.yaml');
    expect((await load()).policyPath).to.equal(join(home, 'slo.yaml'));
  });

  const refused: [string, string, RegExp][] = [
    ['an unknown section', 'sorce: {}', /: sorce: unknown key; did you mean source\?$/],
    ['an unknown signal', 'signals: {latncy: x}', /: signals\.latncy: unknown key; did you mean latency\?$/],
    ['a bad selector', 'signals: {errors: "rate(x[5m])"}', /: signals\.errors: rate\(\.\.\.\) is a function/],
    ['an unknown arm', 'arms: {canry: {a: b}}', /: arms\.canry: unknown key; did you mean canary\?$/],
    ['no canary', 'source: {kind: scrape}', /: source\.canaryUrl: is missing$/],
    [
      'an address and addresses',
      'source: {kind: scrape, canaryUrl: "http://a", canaryUrls: ["http://b"]}',
      /: source\.canaryUrls: cannot be combined with canaryUrl/,
    ],
    [
      'two headers for one login',
      'source: {kind: scrape, canaryUrl: "http://a", bearerEnv: A, headersEnv: {Authorization: B}}',
      /: source\.headersEnv: Authorization cannot be combined/,
    ],
    [
      'a certificate without its key',
      'source: {kind: scrape, canaryUrl: "http://a", cert: {certFile: a.pem}}',
      /: source\.cert\.keyFile: is missing$/,
    ],
    [
      'an unknown kind',
      'source: {kind: promethus}',
      /: source\.kind: must be one of prometheus, .*did you mean prometheus\?$/,
    ],
    [
      'a secret',
      'source: {kind: prometheus, url: "http://a", bearer: abc}',
      /: source\.bearer: unknown key; did you mean bearerEnv\?$/,
    ],
    [
      'a secret in place of a name',
      'source: {kind: prometheus, url: "http://a", bearerEnv: "ab-c"}',
      /: source\.bearerEnv: must be the name of an environment variable/,
    ],
    [
      'a secret in an address',
      'source: {kind: prometheus, url: "http://user:hunter2@a"}',
      /: source\.url: contains a user name or password/,
    ],
    [
      'an address of another kind',
      'source: {kind: scrape, canaryUrl: "a:9090"}',
      /: source\.canaryUrl: must start with http:\/\/ or https:\/\//,
    ],
    [
      'two ways to log in',
      'source: {kind: prometheus, url: "http://a", bearerEnv: A, basic: {usernameEnv: B, passwordEnv: C}}',
      /: source\.basic: cannot be combined with bearerEnv/,
    ],
    ['a bad label', 'arms: {canary: {a: 1}}', /: arms\.canary\.a: a label value must be text: put it in quotes$/],
    [
      'a hook without a program',
      'hooks: {promote: [{exec: {comand: [a]}}]}',
      /: hooks\.promote\[0\]\.exec\.comand: unknown key; did you mean command\?/,
    ],
    ['broken YAML', 'db: [1\n', /:\d+:\d+: /],
  ];
  for (const [what, text, message] of refused) {
    it(`refuses ${what}, naming file and key`, async () => {
      const file = await putProject(text);
      const error = await refusal(load());
      expect(error.code).to.equal('CONFIG');
      expect(error.message.startsWith(`${file}:`)).to.equal(true);
      expect(error.message.split('\n').some((line) => message.test(line.replace('  also ', ': ')))).to.equal(true);
      expect(error.message).to.not.contain('hunter2');
    });
  }

  it('fills in what a source leaves out', async () => {
    await putProject(
      'source: {kind: scrape, canaryUrl: "http://a/metrics"}\nsignals: {latency: {histogram: rt, unit: ms}}\n',
    );
    expect((await load()).source).to.deep.equal({
      kind: 'scrape',
      canaryUrls: ['http://a/metrics'],
      baselineUrls: null,
      arms: ALL_SERIES,
      signals: {
        preset: null,
        requests: null,
        errors: null,
        histograms: { latency: { histogram: 'rt', unit: 'ms' } },
        drift: null,
        inflight: null,
      },
      timeoutMs: 4000,
    });
    await putProject('source: {kind: scrape, canaryUrls: ["dns+http://a:80/m"]}\narms: {canary: {version: v2}}\n');
    expect((await load()).source).to.deep.include({
      canaryUrls: ['dns+http://a:80/m'],
      arms: { canary: '{version="v2"}', baseline: '{}' },
      signals: DEFAULT_SIGNALS,
    });
  });

  it('takes signals and arms of one file for a source of another, or of the environment', async () => {
    await putUser('signals: {requests: mine_total}\narms: {canary: {v: a}, baseline: {v: b}}\n');
    await putProject('source: {kind: scrape, canaryUrl: "http://a/metrics"}');
    const arms = { canary: '{v="a"}', baseline: '{v="b"}' };
    const { source } = await load();
    expect(source).to.deep.include({ arms }).and.to.have.nested.property('signals.requests', 'mine_total');
    const prometheus = (await load({ PROM_URL: 'http://p' })).source;
    expect(prometheus).to.deep.include({ kind: 'prometheus', arms });
    expect(prometheus).to.have.nested.property('signals.requests', 'mine_total');
  });

  it('prints the form of today for a source in the former one, ready to be pasted', async () => {
    const former = await putProject(
      [
        'source:',
        '  kind: scrape',
        '  canaryUrl: http://127.0.0.1:8080/metrics',
        '  baselineUrl: http://127.0.0.1:8080/metrics',
        '  canaryLabels: { version: v2 }',
        '  baselineLabels: { version: v1 }',
        '  metrics:',
        '    latency: http_server_request_duration_seconds',
        '    requests: http_server_request_duration_seconds_count',
        '    errors: http_server_request_duration_seconds_count',
        '    errorLabels: { http_response_status_code: "/5../" }',
        '    errorsAbsent: zero',
        '    score: null',
        '',
      ].join('\n'),
    );
    const error = await refusal(load());
    expect(error.code).to.equal('CONFIG');
    const [first, form] = error.message.split('\n\n');
    expect(first).to.equal(
      `${former}: source.metrics, source.canaryLabels, source.baselineLabels: replaced by the sections arms and signals; write this in place of source:`,
    );
    await putProject(form!);
    expect((await load()).source).to.deep.equal({
      kind: 'scrape',
      canaryUrls: ['http://127.0.0.1:8080/metrics'],
      baselineUrls: ['http://127.0.0.1:8080/metrics'],
      arms: { canary: '{version="v2"}', baseline: '{version="v1"}' },
      signals: {
        preset: null,
        requests: 'http_server_request_duration_seconds_count',
        errors: {
          count: 'http_server_request_duration_seconds_count{http_response_status_code=~"5.."}',
          absent: 'no_data',
        },
        histograms: { latency: { histogram: 'http_server_request_duration_seconds', unit: 's' } },
        drift: null,
        inflight: 'model_inflight_requests',
      },
      timeoutMs: 4000,
    });
    await putProject('source: {kind: scrape, canaryUrl: "http://a", metrics: {goods: x}}');
    expect((await refusal(load())).message).to.contain(
      'in place of source (without source.metrics.goods, which was not a known key):',
    );
    await putProject('source: {kind: prometheus, url: "http://a", labels: {job: "/a|b/", gate: $__gate}}');
    const [, other] = (await refusal(load())).message.split('\n\n');
    await putProject(other!);
    const arm = '{job=~"a|b",gate="$__gate"}';
    expect((await load()).source).to.deep.include({ arms: { canary: arm, baseline: arm }, signals: DEFAULT_SIGNALS });
  });

  it('makes PROM_URL the source, with the queries by either name', async () => {
    const env = { PROM_URL: 'http://prom:9090', PROM_Q_ERR: 'err', PROM_QUERY_LAT: 'old', PROM_BEARER: 'b' };
    await putProject('source: {kind: ndjson, input: "-"}');
    const config = await load(env);
    expect(config.source).to.deep.equal({
      kind: 'prometheus',
      url: 'http://prom:9090',
      arms: BY_GATE,
      signals: DEFAULT_SIGNALS,
      queries: { error_rate: 'err', latency_p95_ms: 'old' },
      timeoutMs: 4000,
      staleSeconds: 90,
    });
    expect(config.sourceAuth.prometheus).to.deep.equal({ bearer: 'b' });
    expect(JSON.stringify(config.source)).to.not.contain('"b"');
  });

  it('lays the environment over a Prometheus of the file, key by key', async () => {
    await putProject(
      'source: {kind: prometheus, url: "http://a", staleSeconds: 5, queries: {error_rate: file, ttft: t}}',
    );
    const { source } = await load({ PROM_URL: 'http://b', PROM_Q_ERR: 'env', PROM_Q_LAT: '' });
    expect(source).to.include({ url: 'http://b', staleSeconds: 5 });
    expect(source).to.have.deep.property('queries', { error_rate: 'env', ttft: 't' });
    expect((await load({ PROM_Q_ERR: 'env' })).source).to.include({ url: 'http://a' });
  });

  it('reads credentials from the variables that the file names', async () => {
    await putProject(
      'source: {kind: prometheus, url: "http://a", basic: {usernameEnv: U, passwordEnv: P}, caFile: certs/ca.pem}',
    );
    const caFile = join(project, 'certs', 'ca.pem');
    const full = await load({ U: 'ann', P: 'secret' });
    expect(full.sourceAuth.prometheus).to.deep.equal({ basic: { username: 'ann', password: 'secret' }, caFile });
    expect(JSON.stringify(full.source)).to.not.match(/secret|ann|usernameEnv/);
    const partly = await load({ U: 'ann', P: '' });
    expect(partly.sourceAuth.prometheus).to.deep.equal({ caFile });
    expect(partly.missingEnv.prometheus).to.deep.equal(['P']);
    expect((await load({ PROM_BEARER: 'b' })).sourceAuth.prometheus).to.deep.equal({ bearer: 'b', caFile });
  });

  it('sends what it reads of a page, and nothing of it to another kind of source', async () => {
    await putProject(
      'source: {kind: scrape, canaryUrl: "http://a", bearerEnv: T, headersEnv: {X-Scope-OrgID: ORG}, cert: {certFile: c.pem, keyFile: k.pem}}',
    );
    const full = await load({ T: 'secret', ORG: 'team-a', PROM_BEARER: 'other' });
    expect(full.sourceAuth).to.deep.equal({
      scrape: {
        bearer: 'secret',
        certFile: join(project, 'c.pem'),
        keyFile: join(project, 'k.pem'),
        headers: { 'X-Scope-OrgID': 'team-a' },
      },
      prometheus: { bearer: 'other' },
    });
    expect(JSON.stringify(full.source)).to.not.match(/secret|team-a|ORG|pem/);
    const partly = await load({ T: 'secret' });
    expect(partly.missingEnv).to.deep.equal({ scrape: ['ORG'], prometheus: [] });
    expect(partly.sourceAuth.scrape).not.to.have.property('bearer');
  });

  it('runs hooks in the directory of their file', async () => {
    await putProject('hooks: {promote: [{exec: {command: [./go.sh]}}], rollback: [{exec: {command: [a], cwd: ops}}]}');
    const { hooks } = await load();
    expect(hooks.promote).to.have.nested.property('[0].exec.cwd', project);
    expect(hooks.rollback).to.have.nested.property('[0].exec.cwd', join(project, 'ops'));
  });

  it('asks for evidence of a promotion unless it is told not to', async () => {
    await putUser('promotion: {requireCanary: false}');
    expect((await load()).promotion).to.deep.equal({ requireCanary: false });
    await putProject('promotion: {}');
    expect((await load()).promotion).to.deep.equal({ requireCanary: true });
  });

  it('looks for keys beside the database, then where the file and the environment say', async () => {
    expect((await load({ LUKHAS_MCP_DB: '/srv/l.db' })).keys.export).to.equal('/srv/keys/export.pem');
    await putProject('keys: {log: secrets/log.pem, origin: example.com/canaries}');
    const { keys } = await load({ LUKHAS_EXPORT_KEY_FILE: 'export.pem', LUKHAS_LOG_KEY_FILE: '' });
    expect(keys).to.deep.equal({
      log: join(project, 'secrets', 'log.pem'),
      export: join(project, 'export.pem'),
      origin: 'example.com/canaries',
      named: { log: true, export: true },
    });
    expect((await load({ LUKHAS_LOG_KEY_FILE: '/run/log.pem' })).keys.log).to.equal('/run/log.pem');
    for (const origin of ['a b', 'a+b', '']) {
      await putProject(`keys: {origin: "${origin}"}`);
      expect((await refusal(load())).message).to.include('keys.origin');
    }
  });

  it('names the person behind sudo, and nobody whom a variable merely names', async () => {
    const { actor } = await load({ SUDO_USER: 'alice' });
    const who = process.getuid?.() === 0 ? 'alice (sudo)' : userInfo().username;
    expect(actor).to.deep.equal({ who, how: 'os-user' });
  });
});
