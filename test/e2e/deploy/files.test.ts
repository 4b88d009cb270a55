import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from '../lukhas.js';

const run = promisify(execFile);
const DEPLOY = join(ROOT, 'assets/deploy');
const PARTS = join(ROOT, 'test/e2e/parts/node_modules');
const text = (file: string) => readFileSync(join(DEPLOY, file), 'utf8');

// biome-ignore lint/suspicious/noExplicitAny: manifests of all kinds
type Manifest = any;

/** Folders of kubernetes-models, whose schemas are those that Kubernetes publishes. */
const GROUPS: Record<string, string> = {
  v1: 'v1',
  'apps/v1': 'apps/v1',
  'policy/v1': 'policy/v1',
  'networking.k8s.io/v1': 'networking.k8s.io/v1',
};

describe('the files for a deployment', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'lukhas-deploy-'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  /** What a program says that ends with an error; empty if it ends well. */
  async function complaint(program: string, args: readonly string[]): Promise<string> {
    try {
      await run(program, args);
      return '';
    } catch (error) {
      const { stdout, stderr, message } = error as { stdout?: string; stderr?: string; message: string };
      return `${stdout ?? ''}${stderr ?? ''}` || message;
    }
  }

  describe('Kubernetes manifests', () => {
    const manifests = parseAllDocuments(text('kubernetes.yaml')).map((each) => each.toJS() as Manifest);
    const of = (kind: string): Manifest => manifests.find((each) => each.kind === kind);

    async function problem(manifest: Manifest): Promise<string | null> {
      const folder = GROUPS[manifest.apiVersion as string];
      expect(folder, manifest.apiVersion).to.be.a('string');
      const group = await import(pathToFileURL(join(PARTS, 'kubernetes-models', folder!, 'index.js')).href);
      try {
        new group[manifest.kind](manifest).validate();
        return null;
      } catch (error) {
        return String(error);
      }
    }

    it('fit the schemas of Kubernetes', async () => {
      for (const manifest of manifests) expect(await problem(manifest), manifest.kind).to.equal(null);
      // The schemas find what is wrong.
      const wrong = structuredClone(of('StatefulSet'));
      wrong.spec.replicas = 'one';
      expect(await problem(wrong)).to.match(/replicas/);
    });

    it('belong together: names, labels, ports', () => {
      const kinds = manifests.map(({ kind }) => kind);
      expect(kinds).to.include.members(['StatefulSet', 'Service', 'PodDisruptionBudget', 'NetworkPolicy', 'ConfigMap']);
      const { template, selector, serviceName } = of('StatefulSet').spec;
      const labels = template.metadata.labels;
      for (const chosen of [
        ...[selector.matchLabels, of('Service').spec.selector],
        ...[of('PodDisruptionBudget').spec.selector.matchLabels, of('NetworkPolicy').spec.podSelector.matchLabels],
      ])
        expect(labels).to.deep.equal(chosen);
      expect(of('Service').metadata.name).to.equal(serviceName);
      const [container] = template.spec.containers;
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
        expect(container[probe].httpGet).to.deep.equal({
          path: probe === 'readinessProbe' ? '/readyz' : '/healthz',
          port: container.ports[0].name,
        });
      const volumes = [
        ...template.spec.volumes,
        ...of('StatefulSet').spec.volumeClaimTemplates.map((v: Manifest) => v.metadata),
      ];
      expect(volumes.map(({ name }: Manifest) => name)).to.include.members(
        container.volumeMounts.map((m: Manifest) => m.name),
      );
    });

    it('run as nobody special, on a root file system that cannot be written', () => {
      const { spec } = of('StatefulSet').spec.template;
      expect(spec.securityContext).to.include({ runAsNonRoot: true, runAsUser: 10001 });
      expect(spec.automountServiceAccountToken).to.equal(false);
      expect(spec.containers[0].securityContext).to.deep.equal({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    });
  });

  describe('the Dockerfile', () => {
    it('is one that dockerfile-utils finds nothing wrong with', async () => {
      const lint = [join(PARTS, 'dockerfile-utils/bin/dockerfile-utils'), 'lint'];
      expect(await complaint(process.execPath, [...lint, join(DEPLOY, 'Dockerfile')])).to.equal('');
      const wrong = join(dir, 'Dockerfile');
      writeFileSync(wrong, text('Dockerfile').replace('HEALTHCHECK', 'HEALTHCHEK'));
      expect(await complaint(process.execPath, [...lint, wrong])).to.contain('HEALTHCHEK');
    });

    it('ends as an account that is not root, with a healthcheck that works', async () => {
      const [last = ''] = text('Dockerfile')
        .split(/^FROM /m)
        .slice(-1);
      expect(last).to.match(/^USER 10001:10001$/m);
      const [, command = '[]'] = /HEALTHCHECK [^[]*(\[.*\])/s.exec(last) ?? [];
      const [node, ...args] = JSON.parse(command.split('\n', 1)[0]!) as string[];
      expect(node).to.equal('node');
      // Nothing answers there: not healthy.
      const script = args[1]!.replace('8766', '9');
      expect((await run(process.execPath, [args[0]!, script]).catch((error: unknown) => error)) as object).to.include({
        code: 1,
      });
    });
  });

  describe('the Compose file', () => {
    const compose = parse(text('compose.yaml')) as Manifest;

    it('names what is there: files, configs, secrets, volumes', () => {
      expect(Object.keys(compose.services).sort()).to.deep.equal(['alertmanager', 'grafana', 'lukhas', 'prometheus']);
      for (const service of Object.values(compose.services) as Manifest[]) {
        expect(service.image).to.be.a('string');
        expect(service.cap_drop).to.deep.equal(['ALL']);
        for (const { source } of service.configs ?? []) expect(compose.configs).to.have.property(source);
        for (const secret of service.secrets ?? []) expect(compose.secrets).to.have.property(secret);
        // Only loopback: a proxy is what others reach.
        for (const port of service.ports) expect(port).to.match(/^127\.0\.0\.1:\d+:\d+$/);
        for (const volume of service.volumes ?? []) {
          const [from = ''] = volume.split(':');
          if (!from.startsWith('.')) expect(compose.volumes).to.have.property(from);
          else if (from !== './lukhas.yaml') expect(existsSync(join(DEPLOY, from)), from).to.equal(true);
        }
      }
      const { build } = compose.services.lukhas;
      expect(existsSync(join(DEPLOY, build.context, build.dockerfile))).to.equal(true);
    });

    it('has configurations that Prometheus and Alertmanager take', async () => {
      const prometheus = join(dir, 'prometheus.yml');
      const rules = compose.configs.prometheus.content.replace('/etc/prometheus/rules', join(ROOT, 'assets/alerts'));
      const secret = join(dir, 'key');
      writeFileSync(secret, 'a-key-of-some-length');
      writeFileSync(prometheus, rules.replace('/run/secrets/lukhas_key', secret));
      expect(await complaint('promtool', ['check', 'config', prometheus])).to.equal('');
      const alertmanager = join(dir, 'alertmanager.yml');
      writeFileSync(alertmanager, compose.configs.alertmanager.content);
      expect(await complaint('amtool', ['check-config', alertmanager])).to.equal('');
      for (const name of ['grafana_datasource', 'grafana_dashboards'])
        expect(parse(compose.configs[name].content)).to.include({ apiVersion: 1 });
    });
  });

  describe('the units of systemd', () => {
    const units = readdirSync(join(DEPLOY, 'systemd'));

    it('are units that systemd takes', async () => {
      for (const unit of units) {
        // The program is not installed here.
        const file = join(dir, unit);
        writeFileSync(file, text(join('systemd', unit)).replace('/usr/bin/lukhas', process.execPath));
      }
      const said = await complaint('systemd-analyze', ['verify', ...units.map((unit) => join(dir, unit))]);
      // systemd looks at what else is on the machine, too.
      expect(said.split('\n').filter((line) => line.includes('lukhas'))).to.deep.equal([]);
    });

    it('are exposed as little as docs/production.md says', () => {
      const page = readFileSync(join(ROOT, 'docs/production.md'), 'utf8');
      for (const unit of units.filter((each) => each.endsWith('.service'))) {
        const args = ['security', '--offline=true', '--no-pager', join(DEPLOY, 'systemd', unit)];
        const said = execFileSync('systemd-analyze', args, { encoding: 'utf8' });
        const [, score] = /Overall exposure level for \S+: ([\d.]+)/.exec(said) ?? [];
        expect(page).to.contain(`\`${unit}\` ${score}`);
      }
    });
  });

  it('are all described', () => {
    const page = readFileSync(join(ROOT, 'docs/production.md'), 'utf8');
    const files = readdirSync(DEPLOY, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\w\.\w|file$/.test(file),
    );
    for (const file of files.filter((each) => each !== 'Dockerfile.dockerignore'))
      expect(page, file).to.contain(`assets/deploy/${file}`);
  });
});
