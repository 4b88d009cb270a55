import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '../../../src/lib/app/config.js';
import { serveSettings } from '../../../src/lib/app/serve-settings.js';
import { LukhasError } from '../../../src/lib/errors.js';

describe('where the daemon listens', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-serve-'));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  async function settings(
    text: string,
    env: Record<string, string> = {},
    flags: { host?: string; port?: string } = {},
  ) {
    const file = join(dir, 'lukhas.yaml');
    await writeFile(file, text);
    const { serve } = await loadConfig({ flags: { config: file }, env: { HOME: dir, ...env }, cwd: dir });
    return serveSettings(serve, flags);
  }

  async function refusal(attempt: Promise<unknown>): Promise<string> {
    const error = await attempt.catch((e: unknown) => e);
    expect(error).to.be.instanceOf(LukhasError);
    return (error as LukhasError).message;
  }

  it('is loopback, unless the file, the environment or a flag says otherwise, each stronger than the one before', async () => {
    expect(await settings('')).to.deep.equal({ host: '127.0.0.1', port: 8766, apiKeys: [] });
    const file = 'serve: {host: 10.0.0.1, port: 1000, allowedHosts: [ops.example.com, "a:8443"]}';
    expect(await settings(file)).to.deep.include({ host: '10.0.0.1', port: 1000 });
    expect(await settings(file, { PORT: '2000' })).to.deep.include({ host: '10.0.0.1', port: 2000 });
    const flags = { host: 'localhost', port: '0' };
    expect(await settings(file, { PORT: '2000' }, flags)).to.deep.include({ host: 'localhost', port: 0 });
    expect((await settings(file)).allowedHosts).to.deep.equal(['ops.example.com', 'a:8443']);
    // Set to nothing is not set.
    expect((await settings('', { PORT: '' })).port).to.equal(8766);
  });

  it('reads keys from the environment alone, each as it stands between the commas', async () => {
    const env = { LUKHAS_MCP_API_KEYS: 'one-key-of-16-chars, another-key-of-16' };
    expect((await settings('', env)).apiKeys).to.deep.equal(['one-key-of-16-chars', 'another-key-of-16']);
    // An empty one is not dropped: it is refused where keys are checked.
    expect((await settings('', { LUKHAS_MCP_API_KEYS: ',' })).apiKeys).to.deep.equal(['', '']);
    expect(await refusal(settings('serve: {apiKeys: [one-key-of-16-chars]}'))).to.contain('apiKeys');
  });

  it('refuses a port that is none, by the name of who gave it', async () => {
    for (const port of ['x', '-1', '65536', '1.5', '0x50', ' 80'])
      expect(await refusal(settings('', {}, { port })), port).to.equal(
        `--port ${JSON.stringify(port)}: must be a port from 0 to 65535 (0: any free port)`,
      );
    expect(await refusal(settings('', { PORT: 'tcp://10.0.0.1:80' }))).to.match(
      /^PORT "tcp:\/\/10\.0\.0\.1:80": must be a port from 0 to 65535/,
    );
    expect(await refusal(settings('serve: {port: 70000}'))).to.contain('serve.port');
  });

  it('limits requests when file or environment say how, the environment being stronger key by key', async () => {
    const file = 'serve: {rateLimit: {bucket: 60, windowMs: 10000}}';
    expect((await settings('')).rateLimit).to.equal(undefined);
    expect((await settings(file)).rateLimit).to.deep.equal({ bucket: 60, windowMs: 10_000 });
    expect((await settings(file, { MCP_RL_BUCKET: '5' })).rateLimit).to.deep.equal({ bucket: 5, windowMs: 10_000 });
    const env = { MCP_RL_BUCKET: '5', MCP_RL_WINDOW_MS: '1000' };
    expect((await settings('', env)).rateLimit).to.deep.equal({ bucket: 5, windowMs: 1000 });
    expect((await settings('', { MCP_RL_BUCKET: '', MCP_RL_WINDOW_MS: '' })).rateLimit).to.equal(undefined);
  });

  it('refuses a limit that is none, or half of one', async () => {
    for (const bucket of ['0', '-1', '1.5', '1e3', 'x', '1000001'])
      expect(await refusal(settings('', { MCP_RL_BUCKET: bucket, MCP_RL_WINDOW_MS: '1000' })), bucket).to.match(
        /^MCP_RL_BUCKET ".*": must be a whole number from 1 to 1000000$/,
      );
    expect(await refusal(settings('', { MCP_RL_BUCKET: '5' }))).to.match(/^MCP_RL_WINDOW_MS is not set/);
    expect(await refusal(settings('', { MCP_RL_WINDOW_MS: '5' }))).to.match(/^MCP_RL_BUCKET is not set/);
    expect(await refusal(settings('serve: {rateLimit: {bucket: 5}}'))).to.contain('serve.rateLimit.windowMs');
    expect(await refusal(settings('serve: {rateLimit: {bucket: 0, windowMs: 5}}'))).to.contain('bucket');
  });

  it('refuses hosts and origins that could never match', async () => {
    for (const host of ['http://ops.example.com', 'ops.example.com/', '*', ''])
      expect(await refusal(settings(`serve: {allowedHosts: [${JSON.stringify(host)}]}`)), host).to.contain(
        'allowedHosts',
      );
    for (const origin of ['ops.example.com', 'https://ops.example.com/', '*', 'null'])
      expect(await refusal(settings(`serve: {allowedOrigins: ["${origin}"]}`)), origin).to.contain('allowedOrigins');
  });

  it('takes the address by which people reach it, and refuses one that no link can begin with', async () => {
    for (const [given, used] of [
      ['https://ops.example.com', 'https://ops.example.com'],
      ['https://ops.example.com/', 'https://ops.example.com'],
      ['http://10.0.0.1:8766/lukhas/', 'http://10.0.0.1:8766/lukhas'],
    ])
      expect((await settings(`serve: {publicUrl: "${given}"}`)).publicUrl).to.equal(used);
    expect((await settings('')).publicUrl).to.equal(undefined);
    for (const url of [
      ...['ops.example.com', 'ftp://ops.example.com', 'https://', 'https://a:b@ops.example.com', 'javascript:x'],
      ...['https://ops.example.com/?a=b', 'https://ops.example.com/#x', 'https://ops example.com'],
    ])
      expect(await refusal(settings(`serve: {publicUrl: ${JSON.stringify(url)}}`)), url).to.contain('publicUrl');
  });
});
