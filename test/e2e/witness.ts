import type { Running, Workspace } from './lukhas.js';

export interface RunningWitness {
  url: string;
  running: Running;
}

/** A witness called w.example.com, in `w/` of the workspace, that watches its log. */
export async function startWitness(at: Workspace): Promise<RunningWitness & { vkey: string; pem: string }> {
  const log = (await at.run(['keys', 'show', '--form', 'vkey', '--role', 'log'])).stdout;
  const made = await at.run(['witness', 'key', '--db-dir', 'w', '--name', 'w.example.com']);
  if (made.code !== 0) throw new Error(`no witness: ${made.stderr}`);
  const running = await serveWitness(at, at.file('log.vkey', log));
  const pem = await at.run(['witness', 'key', '--db-dir', 'w', '--form', 'pem']);
  return { ...running, vkey: at.file('w.vkey', made.stdout), pem: at.file('w.pem', pem.stdout) };
}

/** The process of the witness in `w/`. @param logs file of the vkeys that it watches */
export async function serveWitness(at: Workspace, logs: string): Promise<RunningWitness> {
  const running = at.start(['witness', 'serve', '--db-dir', 'w', '--log', logs, '--listen', '127.0.0.1:0']);
  let stderr = '';
  running.child.stderr?.on('data', (text: string) => {
    stderr += text;
  });
  await running.says(/listening on (\S+);/);
  return { url: /listening on (\S+);/.exec(stderr)?.[1] ?? '', running };
}
