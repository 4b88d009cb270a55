import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { expectNoInsides, firstLine, Workspace } from './lukhas.js';
import { observations } from './observations.js';

const START = ['canary', 'start', '--model', 'm', '--from', 'a', '--to', 'b', '--max-error-rate', '0.02'];
const COMMANDS = [
  [...START, '--window', '60s', '--source', 'none', '--detach'],
  ['canary', 'list'],
  ['canary', 'resume', 'c-aaaaaa'],
  ['why', 'c-aaaaaa'],
  ['why-math', 'c-aaaaaa'],
  ['gate', 'list'],
  ['job', 'run', 't'],
  ['job', 'list'],
  ['search', 'x'],
  ['keys', 'init'],
  ['checkpoint'],
  ['export', '--from', '1d', '--out', 'p.zip'],
  ['prove', '0'],
  ['verify'],
  ['replay', '--from', '1d'],
  ['serve', '--port', '0'],
  ['db', 'rebuild'],
];

describe('a configuration file that another user can write', () => {
  let w: Workspace;
  beforeEach(() => {
    w = new Workspace();
  });
  afterEach(() => w.remove());

  it('is refused by every command, in one line that says what to do, and runs nothing', async () => {
    const ran = join(w.dir, 'ran');
    const exec = `{ exec: { command: [touch, ${ran}] } }`;
    // Writable for everybody: as good as another's, and it takes no root to make one.
    chmodSync(
      w.file('lukhas.yaml', `tasks: { t: { command: [touch, ${ran}] } }\nhooks: { rollback: [${exec}] }\n`),
      0o666,
    );
    for (const command of COMMANDS) {
      const run = await w.run(command);
      expect(run.code, command.join(' ')).to.equal(2);
      expect(firstLine(run), command.join(' ')).to.match(
        /lukhas\.yaml: not used, because .*every user can write to it$/,
      );
      // The configuration of an evaluation is another one.
      const flag = command.slice(0, 2).join(' ') === 'job run' ? '--config-file' : '--config';
      expect(run.stderr)
        .to.include(`${flag} ${join(w.dir, 'lukhas.yaml')}`)
        .and.include('trustedFolders: [');
      expectNoInsides(run);
    }
    expect(existsSync(ran)).to.equal(false);
    const named = await w.run(['job', 'run', 't', '--config-file', 'lukhas.yaml']);
    expect(named.code, named.stderr).to.equal(0);
    expect(existsSync(ran)).to.equal(true);
  });

  it('is refused too where its links lead to such a file, or over such a folder', async () => {
    const ran = join(w.dir, 'ran');
    // As deployments are laid out; the file is app/releases/shared/lukhas.yaml, and not app/shared/lukhas.yaml.
    for (const path of ['app/releases/1', 'app/releases/shared', 'hub'])
      mkdirSync(join(w.dir, path), { recursive: true });
    chmodSync(w.file('app/releases/shared/lukhas.yaml', `tasks: { t: { command: [touch, ${ran}] } }\n`), 0o666);
    symlinkSync('releases/1', join(w.dir, 'app/current'));
    symlinkSync('current/lukhas.yaml', join(w.dir, 'app/lukhas.yaml'));
    symlinkSync('../shared/lukhas.yaml', join(w.dir, 'app/releases/1/lukhas.yaml'));
    const cwd = join(w.dir, 'app');
    const file = await w.run(['job', 'run', 't'], { cwd });
    expect(file.code, file.stderr).to.equal(2);
    expect(firstLine(file)).to.match(/every user can write to the file \S+releases\/shared\/lukhas\.yaml$/);
    chmodSync(join(w.dir, 'app/releases/shared/lukhas.yaml'), 0o644);
    symlinkSync(join(w.dir, 'app'), join(w.dir, 'hub/app'));
    symlinkSync('hub/app/lukhas.yaml', join(w.dir, 'lukhas.yaml'));
    chmodSync(join(w.dir, 'hub'), 0o777);
    const way = await w.run(['job', 'run', 't']);
    expect(way.code, way.stderr).to.equal(2);
    expect(firstLine(way)).to.match(/every user can write to the folder \S+hub$/);
    expect(existsSync(ran)).to.equal(false);
    chmodSync(join(w.dir, 'hub'), 0o755);
    const run = await w.run(['job', 'run', 't']);
    expect(run.code, run.stderr).to.equal(0);
    expect(existsSync(ran)).to.equal(true);
  });

  it('is used where the user trusts its folder', async () => {
    chmodSync(w.file('lukhas.yaml', 'tasks: { t: { command: ["true"] } }\n'), 0o666);
    const home = join(w.dir, 'home', '.config', 'lukhas');
    mkdirSync(home, { recursive: true });
    w.file('home/.config/lukhas/config.yaml', `trustedFolders: [${w.dir}]\n`);
    const run = await w.run(['job', 'run', 't']);
    expect(run.code, run.stderr).to.equal(0);
  });
});

describe('the environment of hooks and jobs', () => {
  it('holds what their entries name, and no credential that is not named', async () => {
    const w = new Workspace();
    try {
      const [job, hook] = [join(w.dir, 'job.env'), join(w.dir, 'hook.env')];
      const dump = (file: string) => `[/bin/sh, -c, "env > ${file}"]`;
      w.file(
        'lukhas.yaml',
        `source: { kind: prometheus, url: "http://127.0.0.1:9", bearerEnv: METRICS_TOKEN }
hooks:
  promote: [ { webhook: { urlEnv: CHANNEL, secretEnv: SIGNING } } ]
  rollback: [ { exec: { command: ${dump(hook)}, passEnv: [KUBECONFIG] } } ]
tasks: { t: { command: ${dump(job)}, passEnv: [TRACKING] } }
`,
      );
      w.file('in.ndjson', observations(60, { bad: 160 }));
      const secrets = { METRICS_TOKEN: 's', CHANNEL: 'http://127.0.0.1:9/s', SIGNING: 's', OTHER_KEY: 's' };
      const env = { ...secrets, LUKHAS_LOG_KEY_FILE: '/s', TZ: 'UTC', KUBECONFIG: 'k', TRACKING: 't' };
      expect((await w.run(['job', 'run', 't'], { env })).code).to.equal(0);
      const canary = [...START, '--window', '60s', '--source', 'ndjson', '--input', 'in.ndjson'];
      expect((await w.run(canary, { env })).code).to.equal(3);
      const names = (file: string) => readFileSync(file, 'utf8').match(/^[A-Z_]+(?==)/gm) ?? [];
      for (const file of [job, hook]) {
        expect(names(file)).to.include.members(['PATH', 'HOME', 'TZ', 'LUKHAS_MCP_DB']);
        expect(names(file)).not.to.include.any.members([...Object.keys(secrets), 'LUKHAS_LOG_KEY_FILE']);
      }
      expect(names(job)).to.include('TRACKING').and.not.include('KUBECONFIG');
      expect(names(hook)).to.include('KUBECONFIG').and.not.include('TRACKING');
    } finally {
      await w.remove();
    }
  });
});
