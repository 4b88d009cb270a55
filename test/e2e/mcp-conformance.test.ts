import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InMemoryServerEventBus } from '@modelcontextprotocol/server';
import { expect } from 'chai';
import { type Place, place } from '../daemon/mcp/place.js';
import { ROOT } from './lukhas.js';
import { fixtureServers } from './mcp-fixtures.js';

const PARTS = join(ROOT, 'test/e2e/parts');
const SUITE = join(PARTS, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

/** Of an optional extension that lukhas does not offer: its jobs are tools. */
const TASKS = [
  'tasks-capability-negotiation',
  'tasks-dispatch-and-envelope',
  'tasks-lifecycle',
  'tasks-mrtr-composition',
  'tasks-mrtr-input',
  'tasks-request-headers',
  'tasks-request-state-removal',
  'tasks-required-task-error',
  'tasks-wire-fields',
];
/** Requests of the server to the client, which need a session: there is none. */
const FROM_THE_SERVER = [
  'elicitation-sep1034-defaults',
  'elicitation-sep1330-enums',
  'tools-call-elicitation',
  'tools-call-sampling',
];
/** These look for a tool, resource or prompt of the suite's own. */
const CONTENTS = [
  'json-schema-2020-12',
  'prompts-get-embedded-resource',
  'prompts-get-simple',
  'prompts-get-with-args',
  'prompts-get-with-image',
  'resources-read-binary',
  'resources-read-text',
  'resources-templates-read',
  'tools-call-audio',
  'tools-call-embedded-resource',
  'tools-call-error',
  'tools-call-image',
  'tools-call-mixed-content',
  'tools-call-simple-text',
  'tools-call-with-progress',
];
const INPUTS = [
  'basic-elicitation',
  'basic-list-roots',
  'basic-sampling',
  'capability-check',
  'multi-round',
  'multiple-input-requests',
  'non-tool-request',
  'request-state',
  'result-type',
  'tampered-state',
].map((name) => `input-required-result-${name}`);

/** What the suite cannot see of the product's own server, by scenario: names of its checks. */
const UNSEEN: Readonly<Record<string, readonly string[]>> = {
  // Each asks for a tool of the suite's own.
  'server-stateless': [
    'sep-2575-http-server-no-independent-requests-on-stream',
    'sep-2575-missing-capability-http-400',
    'sep-2575-server-no-log-without-loglevel',
    'sep-2575-server-rejects-undeclared-capability',
  ],
};

interface Outcome {
  /** Every scenario that was run. */
  run: string[];
  /** Names of the checks that failed, of the scenarios with any. */
  failed: Map<string, string[]>;
}

/** Runs all that a revision of the protocol requires, and what the suite reports without counting it. */
async function conformance(url: string, revision: string): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'lukhas-conformance-'));
  const args = [SUITE, 'server', '--url', url, '--requirements', revision, '-o', folder];
  try {
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, args, { cwd: folder, maxBuffer: 1 << 26 }, (_, stdout, stderr) =>
        resolve(stdout + stderr),
      );
    });
    const outcome: Outcome = { run: [], failed: new Map() };
    for (const name of readdirSync(folder)) {
      const [, scenario = name] = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name) ?? [];
      const checks = JSON.parse(readFileSync(join(folder, name, 'checks.json'), 'utf8')) as Check[];
      const failed = checks.filter(({ status }) => status === 'FAILURE').map(({ id }) => id);
      outcome.run.push(scenario);
      if (failed.length > 0) outcome.failed.set(scenario, failed.sort());
    }
    expect(outcome.run, output).to.have.length.above(20);
    return outcome;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Check {
  id: string;
  status: string;
}

function failing({ failed }: Outcome): string[] {
  return [...failed.keys()].sort();
}

/** An excepted scenario that passes is as much a surprise as another one that fails. */
describe('the conformance suite of MCP', () => {
  describe('with its own tools behind the endpoint', () => {
    let server: Place;

    before(async () => {
      const updates = new InMemoryServerEventBus();
      server = await place({ newServer: fixtureServers(updates), updates });
    });
    after(() => server.close());

    it('passes all of 2026-07-28', async () => {
      const outcome = await conformance(server.url, '2026-07-28');
      expect(failing(outcome)).to.deep.equal(TASKS);
      expect(outcome.run).to.include.members([...CONTENTS, ...INPUTS, 'server-stateless', 'caching']);
    });

    it('passes all of 2025-11-25 but what needs a session', async () => {
      const outcome = await conformance(server.url, '2025-11-25');
      expect(failing(outcome)).to.deep.equal(FROM_THE_SERVER);
      expect(outcome.run).to.include.members([...CONTENTS, 'server-initialize', 'resources-subscribe']);
    });
  });

  describe("against the product's own server", () => {
    let server: Place;

    before(async () => {
      server = await place();
    });
    after(() => server.close());

    it('passes all of 2026-07-28 that asks for nothing of its own', async () => {
      const outcome = await conformance(server.url, '2026-07-28');
      const excepted = [
        ...TASKS,
        ...CONTENTS,
        ...INPUTS,
        ...Object.keys(UNSEEN),
        'http-custom-header-server-validation',
      ];
      expect(failing(outcome)).to.deep.equal(excepted.sort());
      for (const [scenario, checks] of Object.entries(UNSEEN))
        expect(outcome.failed.get(scenario), scenario).to.deep.equal(checks);
    });

    it('passes all of 2025-11-25 that asks for nothing of its own', async () => {
      const outcome = await conformance(server.url, '2025-11-25');
      const excepted = [
        ...FROM_THE_SERVER,
        ...CONTENTS,
        // Capabilities that the product does not have without a session, and does not claim.
        'logging-set-level',
        'resources-subscribe',
        'resources-unsubscribe',
        'tools-call-with-logging',
      ];
      expect(failing(outcome)).to.deep.equal(excepted.sort());
    });
  });
});
