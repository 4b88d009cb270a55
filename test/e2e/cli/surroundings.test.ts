import { chmodSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../../until.js';
import { expectNoInsides, firstLine, type Run, Workspace } from '../lukhas.js';

const STARTING = 'canary start --model m --from a --to b --max-error-rate 0.02 --window 60s --source none --detach';
/** An account with a number and no entry, as containers have them. */
const NOBODY = 'setpriv --reuid=4242 --regid=4242 --clear-groups';

describe('surroundings that are not as usual', () => {
  let w: Workspace;
  beforeEach(() => {
    w = new Workspace();
  });
  afterEach(() => w.remove());

  const shell = (command: string) => w.shell(`cd '${w.dir}'; ${command}`);
  const fine = (run: Run): void => {
    expectNoInsides(run);
    expect(run.code, run.stderr).to.equal(0);
  };

  describe('a working directory that was deleted', () => {
    const gone = (command: string) => shell(`mkdir gone; cd gone; rmdir ../gone; ${command}`);

    it('does not matter where paths are absolute', async () => {
      w.file('policy.yaml', 'windowSeconds: 60\ntargets: { max_error_rate: 0.02 }\n');
      const db = `--db '${w.db}'`;
      for (const command of [
        STARTING,
        'canary list --json',
        'verify',
        'gate list',
        `policy lint '${w.dir}/policy.yaml'`,
        'keys init',
        `export --from 30d --out '${w.dir}/pack.zip'`,
        'job run probe',
        'search m',
      ]) {
        const run = await gone(`unset LUKHAS_MCP_DB; lukhas ${command} ${db}`);
        fine(run);
        expect(run.stderr).not.to.contain('WARNING');
      }
      // With the file and the program of a task named by their whole paths too, and without a database.
      w.file('c.yaml', `policy: ${w.dir}/policy.yaml\ntasks: { t: { command: [/bin/echo, done], metrics: none } }\n`);
      fine(await gone(`unset LUKHAS_MCP_DB; lukhas job run t --config-file '${w.dir}/c.yaml' ${db}`));
      fine(await gone(`unset LUKHAS_MCP_DB; lukhas plan --rps 20 --config '${w.dir}/c.yaml'`));
      fine(await gone('lukhas --help'));
      fine(await gone('lukhas --version'));
    });

    it('does not matter to a daemon, which goes on', async () => {
      const release = join(w.dir, 'release');
      mkdirSync(release);
      const daemon = w.start(['serve', '--port', '0'], { cwd: release });
      await daemon.says(/listening/);
      rmdirSync(release);
      const run = await w.run(['job', 'run', 'probe', '--detach']);
      fine(run);
      const [, id = ''] = /(j-[a-z0-9]+)/.exec(run.stderr + run.stdout) ?? [];
      const status = async () => (await w.json(['job', 'status', id]))['status'];
      await until(async () => !['queued', 'running'].includes((await status()) as string));
      expect(await status()).to.equal('completed');
    });

    it('is named where a path is relative, and nothing is made there', async () => {
      for (const command of [
        'canary list',
        STARTING,
        'canary list --db x.db',
        'export --from 30d --out x.zip --db x.db',
      ]) {
        const run = await gone(`unset LUKHAS_MCP_DB; lukhas ${command}`);
        expect(run.code, run.stderr).to.equal(2);
        expect(firstLine(run)).to.match(/^lukhas: the working directory cannot be used: it was deleted/);
      }
      const json = await gone('unset LUKHAS_MCP_DB; lukhas canary list --json');
      expect(JSON.parse(json.stdout)).to.have.nested.property('error.code', 'CONFIG');
      expect(readdirSync(w.dir)).not.to.include('gone');
    });
  });

  describe('a home that is of no use', () => {
    const homes: [what: string, env: string][] = [
      ['not set', 'env -u HOME'],
      ['set to nothing', 'env HOME='],
      ['not there', 'env HOME=/nonexistent/home'],
      ['a file', 'env HOME=/etc/passwd'],
      ["somebody else's", 'env HOME="$PWD/closed"'],
      [
        "somebody else's, for configuration and data",
        'env XDG_CONFIG_HOME="$PWD/closed/c" XDG_DATA_HOME="$PWD/closed/d"',
      ],
    ];
    for (const [what, env] of homes)
      it(`is passed over: ${what}`, async () => {
        mkdirSync(join(w.dir, 'closed'), { mode: 0o700 });
        mkdirSync(join(w.dir, 'closed/c/lukhas'), { recursive: true });
        w.file('closed/c/lukhas/config.yaml', 'db: /nonexistent/elsewhere.db\n');
        mkdirSync(join(w.dir, 'open'));
        chmodSync(w.dir, 0o755);
        chmodSync(join(w.dir, 'open'), 0o777);
        const as = (command: string) =>
          shell(
            `cd open; export LUKHAS_MCP_DB=$PWD/l.db; ${NOBODY} ${env.replace('$PWD', w.dir)} "$node" "$bin" ${command}`,
          );
        for (const command of [STARTING, 'plan --rps 20 --max-error-rate 0.02 --window 2m', '--version', '--help']) {
          const run = await as(command);
          fine(run);
          expect(run.stderr).not.to.match(/EACCES|warning/i);
        }
      });
  });

  it('gets along without a folder for temporary files, and with a umask that takes everything', async () => {
    const made = await shell(`umask 0777; env TMPDIR=/nonexistent "$node" "$bin" ${STARTING}`);
    fine(made);
    const open = join(w.dir, 'open');
    mkdirSync(open, { mode: 0o777 });
    chmodSync(w.dir, 0o755);
    chmodSync(open, 0o777);
    for (const command of [STARTING, 'keys init', 'canary list']) {
      const run = await shell(
        `umask 0777; cd open; export LUKHAS_MCP_DB=$PWD/d/l.db; ${NOBODY} "$node" "$bin" ${command}`,
      );
      fine(run);
    }
  });

  it('says that the folder of the database is read-only', async () => {
    mkdirSync(join(w.dir, 'shut'), { mode: 0o555 });
    chmodSync(w.dir, 0o755);
    const run = await shell(`export LUKHAS_MCP_DB=$PWD/shut/l.db; ${NOBODY} "$node" "$bin" ${STARTING}`);
    expect(run.code).to.equal(2);
    expect(firstLine(run)).to.contain('is not writable by this user');
    rmdirSync(join(w.dir, 'shut'));
  });
});
