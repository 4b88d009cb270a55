import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT, Workspace } from '../lukhas.js';
import { metricsIn, shippedRules } from './rules.js';

interface Target {
  expr: string;
  legendFormat?: string;
}

interface Dashboard {
  panels: {
    id: number;
    type: string;
    title: string;
    targets?: Target[];
    gridPos: Record<'x' | 'y' | 'w' | 'h', number>;
  }[];
  annotations: { list: { expr: string }[] };
  templating: { list: { name: string; query: string | { query: string } }[] };
}

/** Of Prometheus itself. */
const ITS_OWN = { metrics: ['up'], labels: ['job', 'instance', 'alertname', 'alertstate'] };

describe('the dashboard and the alerts of the package', () => {
  const dashboard = JSON.parse(readFileSync(join(ROOT, 'assets/grafana/lukhas.json'), 'utf8')) as Dashboard;
  const targets = dashboard.panels.flatMap(({ title, targets: own = [] }) => own.map((each) => ({ title, ...each })));
  /** Labels of each metric that a daemon exposes from its start. */
  let exposed: Map<string, Set<string>>;

  before(async () => {
    const w = new Workspace();
    try {
      const daemon = w.start(['serve', '--port', '0']);
      let said = '';
      daemon.child.stderr?.on('data', (text: string) => {
        said += text;
      });
      await daemon.says(/listening on http:\S+/);
      const text = await (await fetch(`${/listening on (http:\/\/[\d.]+:\d+)/.exec(said)?.[1]}/metrics`)).text();
      exposed = new Map();
      for (const [, name = '', selector = ''] of text.matchAll(/^([a-z_]+)(?:\{(.*)\})? \S+$/gm)) {
        const labels = exposed.get(name) ?? new Set();
        for (const [, label = ''] of selector.matchAll(/([a-z_]+)="/g)) labels.add(label);
        exposed.set(name, labels);
      }
    } finally {
      await w.remove();
    }
  });

  /** Labels by which an expression groups. */
  const grouped = (expr: string) =>
    [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(',').map((each) => each.trim()));

  function check(expr: string, where: string): void {
    const used = metricsIn(expr);
    const labels = new Set(ITS_OWN.labels);
    for (const { name, labels: selected } of used) {
      if (ITS_OWN.metrics.includes(name)) continue;
      expect([...exposed.keys()], `${where}: ${name}`).to.include(name);
      for (const label of exposed.get(name)!) labels.add(label);
      expect([...labels], `${where}: ${name}`).to.include.members(selected);
    }
    expect([...labels], where).to.include.members(grouped(expr));
  }

  it('use metrics and labels that the daemon has', () => {
    expect(targets).to.have.length.greaterThan(20);
    for (const { title, expr, legendFormat = '' } of targets) {
      expect(metricsIn(expr), title).to.not.deep.equal([]);
      check(expr, title);
      const own = metricsIn(expr).flatMap(({ name }) => [...(exposed.get(name) ?? [])]);
      const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label as string);
      expect([...own, ...ITS_OWN.labels], title).to.include.members(shown);
    }
    for (const { expr } of dashboard.annotations.list) check(expr, 'annotations');
    for (const { name, query } of dashboard.templating.list) if (typeof query !== 'string') check(query.query, name);
    for (const { alert, expr } of shippedRules()) check(expr, alert);
  });

  it('show every metric of lukhas, but those that only say what it is', () => {
    const shown = new Set(targets.flatMap(({ expr }) => metricsIn(expr).map(({ name }) => name)));
    const missing = [...exposed.keys()].filter((name) => !shown.has(name));
    expect(missing.sort()).to.deep.equal([
      'lukhas_build_info',
      'lukhas_canary_oldest_running_seconds',
      'process_start_time_seconds',
    ]);
  });

  it('are expressions that Prometheus can read', () => {
    const exprs = [...targets.map(({ expr }) => expr), ...dashboard.annotations.list.map(({ expr }) => expr)];
    const rules = exprs.map((expr, n) => ({
      record: `panel:${n}`,
      expr: expr.replaceAll('$job', 'lukhas').replaceAll('$instance', '.*'),
    }));
    const w = new Workspace();
    try {
      const file = w.file('rules.json', JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
      expect(execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })).to.contain(
        `${rules.length} rules`,
      );
    } finally {
      void w.remove();
    }
  });

  it('is laid out without two panels in one place', () => {
    const taken = new Set<string>();
    for (const { title, gridPos: g } of dashboard.panels)
      for (let x = g.x; x < g.x + g.w; x++)
        for (let y = g.y; y < g.y + g.h; y++) {
          expect(x, title).to.be.below(24);
          expect(taken.has(`${x},${y}`), `${title} overlaps`).to.equal(false);
          taken.add(`${x},${y}`);
        }
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).to.equal(dashboard.panels.length);
  });
});
