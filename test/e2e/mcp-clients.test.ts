import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { expect } from 'chai';
import { ROOT, Workspace } from './lukhas.js';

const INSPECTOR = join(ROOT, 'test/e2e/parts/node_modules/@modelcontextprotocol/inspector/clients/cli/build/index.js');
const BIN = join(ROOT, 'bin/run.js');
const TOOLS = [
  'search',
  'fetch',
  'start_canary',
  'canary_status',
  'abort_canary',
  'why',
  'why_math',
  'run_eval',
  'status',
  'promote_model',
];
const START = { modelId: 'matriz-v3', fromGate: 'stage', toGate: 'production', targets: { max_error_rate: 0.02 } };

// biome-ignore lint/suspicious/noExplicitAny: what other programs print
type Json = any;

describe('clients of lukhas serve', () => {
  let workspace: Workspace;
  let url: string;

  before(async () => {
    workspace = new Workspace();
    const daemon = workspace.start(['serve', '--port', '0']);
    let said = '';
    daemon.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await daemon.says(/listening on http:\S+/);
    url = `${/listening on (http:\/\/[\d.]+:\d+)/.exec(said)?.[1]}/mcp`;
  });
  after(() => workspace.remove());

  it('curl, with nothing but a content type', async () => {
    const curl = async (message: object): Promise<Json> => {
      const args = ['-sS', url, '-H', 'Content-Type: application/json', '-d', JSON.stringify(message)];
      return JSON.parse(await run('curl', args));
    };
    const { result } = await curl({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    expect(result.tools.map(({ name }: Json) => name).slice(0, TOOLS.length)).to.deep.equal(TOOLS);
    const call = (name: string, args: object) =>
      curl({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name, arguments: args } });
    const started = JSON.parse((await call('start_canary', START)).result.content[0].text);
    expect(started.status).to.equal('PENDING');
    expect((await call('why', { id: started.canaryId })).result.content[0].text).to.match(/^matriz-v3 /);
  });

  for (const [era, options] of [
    ['2025-11-25', {}],
    ['2026-07-28', { versionNegotiation: { mode: { pin: '2026-07-28' } } }],
  ] as const) {
    it(`the official client over HTTP, ${era}`, async () => {
      const client = new Client({ name: 'test', version: '1' }, options);
      await client.connect(new StreamableHTTPClientTransport(new URL(url)));
      try {
        await expectToolsOf(client, era);
      } finally {
        await client.close();
      }
    });

    it(`the official client over stdio, ${era}`, async () => {
      const client = new Client({ name: 'test', version: '1' }, options);
      const own = new Workspace();
      const args = [BIN, 'serve', '--stdio'];
      const transport = new StdioClientTransport({
        command: process.execPath,
        args,
        cwd: own.dir,
        env: own.environment(),
        stderr: 'ignore',
      });
      try {
        await client.connect(transport);
        await expectToolsOf(client, era);
      } finally {
        await client.close();
        await own.remove();
      }
    });
  }

  it('the Inspector, over HTTP and over stdio', async () => {
    expect(existsSync(INSPECTOR), 'scripts/install-e2e-parts.sh').to.equal(true);
    const own = new Workspace();
    try {
      const inspect = async (target: readonly string[], ...args: string[]): Promise<Json> =>
        JSON.parse(await run(process.execPath, [INSPECTOR, ...target, ...args], own));
      for (const target of [
        [url, '--transport', 'http'],
        [process.execPath, BIN, 'serve', '--stdio'],
      ]) {
        const { result, schemaFindings } = await inspect(
          ...([target, '--method', 'tools/list', '--format', 'json', '--strict'] as const),
        );
        // What it has found that other clients do not take.
        expect(schemaFindings).to.equal(undefined);
        const { tools } = result;
        expect(tools.map(({ name }: Json) => name).slice(0, TOOLS.length)).to.deep.equal(TOOLS);
        const call = ['--method', 'tools/call', '--tool-name', 'why_math', '--tool-arg', 'id=test'];
        const { structuredContent } = await inspect(target, ...call);
        expect(structuredContent).to.include({ id: 'test', decision: 'unknown' });
      }
    } finally {
      await own.remove();
    }
  });
});

async function expectToolsOf(client: Client, version: string): Promise<void> {
  expect(client.getNegotiatedProtocolVersion()).to.equal(version);
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name).slice(0, TOOLS.length)).to.deep.equal(TOOLS);
  const { structuredContent } = await client.callTool({ name: 'start_canary', arguments: START });
  const { canaryId } = structuredContent as { canaryId: string };
  const answers: [string, Record<string, unknown>][] = [
    ['search', { query: canaryId }],
    ['fetch', { id: `canary:${canaryId}` }],
    ['canary_status', { canaryId, waitSeconds: 1 }],
    ['why', { id: canaryId }],
    ['why_math', { id: canaryId }],
    ['list_canaries', { modelId: START.modelId }],
  ];
  for (const [name, args] of answers) {
    const result = await client.callTool({ name, arguments: args });
    expect(result.isError, `${name}: ${JSON.stringify(result.content)}`).to.equal(undefined);
  }
  // Without a source of metrics there is no evidence, and without evidence no promotion.
  const waited = await client.callTool({ name: 'canary_status', arguments: { canaryId, waitSeconds: 10 } });
  expect(waited.structuredContent).to.include({ canaryId, status: 'BLOCKED' });
}

function run(program: string, args: readonly string[], place?: Workspace): Promise<string> {
  const where = place === undefined ? {} : { cwd: place.dir, env: { ...process.env, ...place.environment() } };
  return new Promise((resolve, reject) => {
    execFile(program, args, { ...where, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}\n${stdout}`));
      else resolve(stdout);
    });
  });
}
