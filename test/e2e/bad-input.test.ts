import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { type StubPrometheus, stubPrometheus, success, vector } from '../lib/metrics/prometheus/stub.js';
import { expectNoInsides, firstLine, onlyDocument, type Run, type RunOptions, Workspace } from './lukhas.js';
import { type Page, serve } from './metrics-page.js';

const POLICY = 'windowSeconds: 6\nintervalSeconds: 1\nnoDataSeconds: 2\ntargets: { max_error_rate: 0.02 }\n';
const START = ['canary', 'start', '--model', 'm2', '--from', 'stage', '--to', 'production'];
const WITH_POLICY = [...START, '--policy', 'policy.yaml'];
const HTML = '<!doctype html><html><body>Sign in</body></html>';

interface Case {
  args: string[];
  options?: RunOptions;
  /** First line on stderr, after `lukhas: `. */
  says: RegExp | string;
  /** What to do, anywhere in what is said. */
  advises: RegExp;
  code?: number;
}

describe('what a user gets wrong is said in one line, and starts nothing', () => {
  let workspace: Workspace;

  before(async () => {
    workspace = new Workspace();
    workspace.file('policy.yaml', POLICY);
    workspace.file('typo.yaml', POLICY.replace('max_error_rate', 'max_eror_rate'));
    workspace.file('syntax.yaml', 'windowSeconds: 6\ntargets: { max_error_rate: 0.02\n');
    workspace.file('unknown-key.yaml', 'polciy: policy.yaml\n');
    workspace.file('bad-source.yaml', 'source: { kind: prometeus, url: "http://127.0.0.1:9" }\n');
    mkdirSync(join(workspace.dir, 'folder'));
    execFileSync('mkfifo', [join(workspace.dir, 'pipe')]);
    // A log without a canary, for the commands that read one.
    await (await openLedger(join(workspace.dir, 'empty.db'))).close();
  });
  after(() => workspace.remove());

  /** Both ways of asking: for a person and for a program. */
  async function refused({ args, options = {}, says, advises, code = 2 }: Case): Promise<void> {
    const [plain, json] = await Promise.all([
      workspace.run(args, options),
      workspace.run([...args, '--json'], options),
    ]);
    expect(plain.code, plain.stdout + plain.stderr).to.equal(code);
    expect(plain.stdout).to.equal('');
    const line = firstLine(plain);
    expect(line).to.match(/^lukhas: /);
    if (typeof says === 'string') expect(line).to.equal(`lukhas: ${says}`);
    else expect(line.slice('lukhas: '.length)).to.match(says);
    expect(plain.stderr).to.match(advises);

    expect(json.code, json.stdout + json.stderr).to.equal(code);
    expect(json.stderr).to.equal('');
    expectNoInsides(json);
    const { error, ...rest } = onlyDocument(json) as {
      error: { message: string; suggestions: string[]; exit: number };
    };
    expect(rest).to.deep.equal({});
    expect(error).to.have.keys(['code', 'message', 'suggestions', 'exit']);
    expect(error.exit).to.equal(code);
    const [first] = error.message.split('\n');
    expect(`lukhas: ${first}`).to.equal(line);
    expect([error.message, ...error.suggestions].join('\n')).to.match(advises);
    await nothingStarted();
  }

  async function nothingStarted(): Promise<void> {
    // Most are refused before there is a log at all.
    const events = await workspace.events().catch((error: { code?: string }) => {
      if (error.code === 'LEDGER_UNAVAILABLE') return [];
      throw error;
    });
    expect(events).to.deep.equal([]);
  }

  const cases: Record<string, Case> = {
    'a flag that does not exist': {
      args: [...WITH_POLICY, '--windw', '20s'],
      says: /^Nonexistent flag: --windw/,
      advises: /Did you mean --window\?/,
    },
    'a command that does not exist': {
      args: ['canary', 'strat'],
      says: 'no command "canary strat"',
      advises: /Did you mean: lukhas canary start\?/,
    },
    'a command like no other': {
      args: ['frobnicate'],
      says: 'no command "frobnicate"',
      advises: /lukhas --help/,
    },
    'a required flag left out': {
      args: ['canary', 'start', '--from', 'stage', '--to', 'production'],
      says: 'Missing required flag --model',
      advises: /--help/,
    },
    'a required argument left out': {
      args: ['canary', 'status'],
      says: /^Missing 1 required arg: id, canary id, or a unique prefix of it$/,
      advises: /--help/,
    },
    'a flag without its value': {
      args: [...START, '--policy'],
      says: 'Flag --policy expects a value',
      advises: /--help/,
    },
    'a flag whose value is no number': {
      args: ['canary', 'list', '--limit', 'x'],
      says: '--limit: Expected an integer but received: x',
      advises: /--help/,
    },
    'no policy': {
      args: START,
      says: 'No policy given.',
      advises: /--policy FILE/,
    },
    'a policy file that is not there': {
      args: [...START, '--policy', 'nowhere.yaml'],
      says: 'nowhere.yaml: file not found',
      advises: /Pass a policy file/,
    },
    'a policy file that is a folder': {
      args: [...START, '--policy', 'folder'],
      says: 'folder: is a folder, not a file',
      advises: /Pass a policy file/,
    },
    'a policy with a misspelt key': {
      args: [...START, '--policy', 'typo.yaml'],
      says: 'typo.yaml: targets.max_eror_rate: unknown key; did you mean max_error_rate?',
      advises: /did you mean/,
    },
    'a policy that is no YAML': {
      args: [...START, '--policy', 'syntax.yaml'],
      says: /^syntax\.yaml:\d+:\d+: ./,
      advises: /./,
    },
    'an error rate above 1': {
      args: [...START, '--max-error-rate', '2'],
      says: '--max-error-rate 2: must be between 0 and 1; did you mean 0.02?',
      advises: /did you mean/,
    },
    'a target that is no number': {
      args: [...START, '--latency-p95-ms', 'fast'],
      says: '--latency-p95-ms: expected a number, got "fast"',
      advises: /expected a number/,
    },
    'a window that is no duration': {
      args: [...WITH_POLICY, '--window', '2 minuts'],
      says: '--window: "2 minuts" is not a duration; write e.g. 120s, 2m, 1h30m, 30d',
      advises: /write e\.g\./,
    },
    'a gate name with quotes and line breaks': {
      args: ['canary', 'start', '--model', 'm2', '--from', 'a"} or vector(1)\nlukhas: promoted', '--to', 'b'].concat([
        '--policy',
        'policy.yaml',
      ]),
      says: /^gate name "a\\"} or vector\(1\)\\nlukhas: promoted" is not valid: use 1 to 128 letters/,
      advises: /use 1 to 128 letters/,
    },
    'a model name that is an escape sequence': {
      args: ['canary', 'start', '--model', '\u001b[31mred', '--from', 'a', '--to', 'b', '--policy', 'policy.yaml'],
      says: /^model name "\\u001b\[31mred" is not valid/,
      advises: /use 1 to 128 letters/,
    },
    'the same gate twice': {
      args: ['canary', 'start', '--model', 'm2', '--from', 'a', '--to', 'a', '--policy', 'policy.yaml'],
      says: '--from and --to must be different gates: both are "a".',
      advises: /must be different gates/,
    },
    'a PromQL expression that does not parse': {
      args: WITH_POLICY,
      options: {
        env: {
          PROM_URL: 'http://127.0.0.1:9',
          PROM_Q_ERR: 'sum(rate(bad_total{gate="$__gate"}[5m])) /\n  sum(rate(all_total[5m])',
        },
      },
      says: 'PROM_Q_ERR: PromQL syntax error at line 2, column 26: the expression ends too early',
      advises: /\n {2}sum\(rate\(all_total\[5m\]\)\n|\n {4}sum\(rate\(all_total\[5m\]\)\n {27}\^/,
    },
    'an address that is none': {
      args: [...WITH_POLICY, '--canary-url', 'localhost'],
      says: /^--canary-url: is not a URL/,
      advises: /write e\.g\. http/,
    },
    'a password in an address': {
      args: [...WITH_POLICY, '--canary-url', 'http://me:geheim@127.0.0.1:9/metrics'],
      says: /^--canary-url: contains a user name or password(?!.*geheim)/,
      advises: /instead/,
    },
    'observations that are not there': {
      args: [...WITH_POLICY, '--input', 'nowhere.ndjson'],
      says: /^observations: cannot read .*nowhere\.ndjson \(ENOENT\)$/,
      advises: /cannot read/,
    },
    'a configuration with an unknown key': {
      args: [...WITH_POLICY, '--config', 'unknown-key.yaml'],
      says: /unknown-key\.yaml: polciy: unknown key; did you mean policy\?$/,
      advises: /did you mean/,
    },
    'a configuration with an unknown kind of source': {
      args: [...WITH_POLICY, '--config', 'bad-source.yaml'],
      says: /bad-source\.yaml: source\.kind: .*did you mean prometheus\?$/,
      advises: /did you mean/,
    },
    'a configuration that is not there': {
      args: [...WITH_POLICY, '--config', 'nowhere.yaml'],
      says: /nowhere\.yaml: file not found$/,
      advises: /file not found/,
    },
    'a database that is a folder, to write': {
      args: [...WITH_POLICY, '--db', 'folder'],
      says: /folder is a folder, not a ledger$/,
      advises: /Pass a file with --db/,
    },
    'a database that is a folder, to read': {
      args: ['canary', 'list', '--db', 'folder'],
      says: /folder is a folder, not a ledger$/,
      advises: /Pass a file with --db/,
    },
    'a database that is a pipe, to read': {
      args: ['canary', 'list', '--db', 'pipe'],
      says: /pipe is not a file$/,
      advises: /Pass a file with --db/,
    },
    'a database that is a device, to write': {
      args: [...WITH_POLICY, '--db', '/dev/zero'],
      says: /dev\/zero is not a file$/,
      advises: /Pass a file with --db/,
    },
    'a pack that is a pipe': {
      args: ['verify', 'pipe'],
      says: /pipe: is not a file$/,
      advises: /is not a file/,
    },
    'a configuration without an end': {
      args: [...WITH_POLICY, '--config', '/dev/zero'],
      says: /dev\/zero: too long: more than 1048576 bytes$/,
      advises: /too long/,
    },
    'a database that is not there': {
      args: ['canary', 'list', '--db', 'nowhere.db'],
      says: /nowhere\.db: no ledger found$/,
      advises: /--db/,
    },
    'a canary that is not there': {
      args: ['canary', 'status', 'c-nothing', '--db', 'empty.db'],
      says: 'No canary "c-nothing" in this log.',
      advises: /lukhas canary list/,
    },
    'a fault that the demo does not know': {
      args: ['demo', '--fault', 'fire'],
      says: /^Expected --fault=fire to be one of: none, latency, errors, drift, crash/,
      advises: /--help/,
    },
  };

  for (const [name, wrong] of Object.entries(cases)) it(name, () => refused(wrong));

  describe('and so is an address behind which there are no metrics', () => {
    let page: Page;
    let prometheus: StubPrometheus;

    before(async () => {
      page = await serve((_, response) => void response.end());
      prometheus = await stubPrometheus();
    });
    after(async () => {
      await page.close();
      await prometheus.close();
    });

    const answers: Record<string, { answer: Page['answer']; says: RegExp; advises?: RegExp }> = {
      'but 50 MB of them': {
        answer: (_, response) => {
          const line = `model_requests_total{path="${'x'.repeat(1000)}"} 1\n`.repeat(1000);
          let left = 50;
          const more = (): void => {
            while (left-- > 0) if (!response.write(line)) return;
            response.end();
          };
          response.on('drain', more);
          more();
        },
        says: /metrics: the answer is larger than 16 MiB/,
      },
      'but bytes': {
        answer: (_, response) => void response.end(randomBytes(4096)),
        says: /metrics: not a text in UTF-8/,
      },
      'but a page to sign in': {
        answer: (_, response) => void response.setHeader('content-type', 'text/html').end(HTML),
        says: /metrics answers with HTML, not with metrics$/,
      },
      'but nonsense': {
        answer: (_, response) => void response.end('model_requests_total{ 12\n'),
        says: /metrics, line 1: /,
      },
      'but a refusal': {
        answer: (_, response) => void response.writeHead(403).end(),
        says: /metrics answered 403: it wants credentials/,
        advises: /bearerEnv: METRICS_TOKEN/,
      },
    };
    for (const [name, { answer, says, advises = /Prometheus/ }] of Object.entries(answers))
      it(name, async () => {
        page.answer = answer;
        await refused({ args: [...WITH_POLICY, '--canary-url', page.url], says, advises, code: 6 });
      });

    it('but a page to sign in, where Prometheus should be', async () => {
      prometheus.answer = () => ({ type: 'text/html', body: HTML });
      await refused({
        args: [...WITH_POLICY, '--prom-url', prometheus.url],
        says: /api\/v1\/query does not answer as Prometheus does \(text\/html\)/,
        advises: /PROM_URL/,
        code: 6,
      });
    });
  });

  it('a label with quotes and line breaks reaches Prometheus as one string', async () => {
    const team = 'risk "A"\nand \\ others"} or vector(1) #';
    const prometheus = await stubPrometheus();
    const other = new Workspace();
    try {
      prometheus.answer = (query) => (query === 'vector(1)' ? vector('1') : success('matrix', []));
      const source = { kind: 'prometheus', url: prometheus.url };
      const arm = { gate: '$__gate', team };
      other.file('lukhas.yaml', JSON.stringify({ source, arms: { canary: arm, baseline: arm } }));
      other.file('policy.yaml', POLICY);
      const run = await other.run(WITH_POLICY);
      expect(run.code, run.stderr).to.equal(4);
      const queries = prometheus.queries.filter((query) => query !== 'vector(1)');
      const whole = 'team="risk \\"A\\"\\nand \\\\ others\\"} or vector(1) #"';
      expect(queries.filter((query) => query.includes(whole))).not.to.have.length(0);
      // Others ask which values there are.
      for (const query of queries) expect(query.replaceAll(whole, '')).not.to.match(/[\n\r]|risk|others/);
    } finally {
      await prometheus.close();
      await other.remove();
    }
  });

  it('a line of observations that is none is named, with its number', async () => {
    const good = { v: 1, t: 1000, from: 0, canary: { errors: { state: 'ok', bad: 0, total: 10 } } };
    const lines = [good, { ...good, t: 2000, from: 1000 }, { v: 1, t: 3000, canary: {} }];
    const input = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const other = new Workspace();
    try {
      other.file('policy.yaml', POLICY);
      const args = [...WITH_POLICY, '--input', '-'];
      const [plain, json] = await Promise.all([other.run(args, { input }), other.run([...args, '--json'], { input })]);
      for (const run of [plain, json]) {
        expect(run.code, run.stderr).to.equal(2);
        expectNoInsides(run);
        expect(saidOf(run)).to.match(/stdin:3: from: expected number, received undefined/);
      }
      expect(onlyDocument(json)).to.include({ status: 'FAILED', exit: 2 });
      expect(await other.json(['gate', 'list'])).to.deep.equal({ gates: [] });
      const { canaries } = await other.json(['canary', 'list', '--state', 'RUNNING', '--state', 'PENDING']);
      expect(canaries).to.deep.equal([]);
    } finally {
      await other.remove();
    }
  });
});

function saidOf(run: Run): string {
  return run.stdout + run.stderr;
}
