import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { requireDemoPlace } from '../../src/cli/demo-place.js';
import { loadConfig } from '../../src/lib/app/config.js';

async function refusal(file: string | null, env: Record<string, string> = {}): Promise<string | null> {
  const cwd = mkdtempSync(join(tmpdir(), 'lukhas-demo-place-'));
  try {
    if (file !== null) writeFileSync(join(cwd, 'lukhas.yaml'), file);
    const config = await loadConfig({ env: { HOME: cwd, ...env }, cwd });
    requireDemoPlace(config);
    return null;
  } catch (error) {
    expect(error).to.include({ code: 'USAGE' });
    return (error as Error).message;
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

describe('a demo', () => {
  it('runs where nothing is configured, or nothing real', async () => {
    expect(await refusal(null)).to.equal(null);
    expect(await refusal('db: demo.db\ntasks:\n  smoke:\n    command: ["true"]\n')).to.equal(null);
  });

  it('is refused where it would call real hooks, or beside a real source', async () => {
    const hooks = 'hooks:\n  promote:\n    - exec: {command: [./alias.sh]}\n';
    expect(await refusal(hooks)).to.match(/lukhas\.yaml configures hooks/);
    expect(await refusal(hooks.replace('promote', 'rollback'))).to.match(/hooks/);
    expect(await refusal('source: {kind: ndjson, input: a.ndjson}\n')).to.match(/a ndjson source/);
    expect(await refusal(null, { PROM_URL: 'http://127.0.0.1:9' })).to.match(
      /the environment configures a prometheus source/,
    );
  });
});
