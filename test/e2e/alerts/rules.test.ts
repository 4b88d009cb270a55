import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { RULES_FILE, type Rule, runbooks, shippedRules } from './rules.js';

/** Series as promtool writes them: values a minute apart from 0 on. */
type Input = Record<string, string>;

interface Edge {
  /** Stays silent at `at`, and at the time before it. */
  quiet: Input;
  /** Fires at `at`. */
  fires: Input;
  at: string;
  /** Its labels beside job, instance and severity, and what its summary says. */
  labels?: Record<string, string>;
  summary: string;
  /** Job and instance are not known. */
  bare?: true;
}

const HERE = 'job="lukhas",instance="a:8766"';
const of = (name: string, values: string, more = ''): Input => ({ [`${name}{${HERE}${more}}`]: values });
/** A counter that stands at 0 for so many minutes, then at a value. */
const step = (minutes: number, value: number) => `0x${minutes} ${value}x60`;

/** Both sides of the edge of each alert. */
const EDGES: Record<string, Edge[]> = {
  LukhasDown: [
    {
      quiet: of('up', '1x10 0x1 1x30'),
      fires: of('up', '1x10 0x30'),
      at: '13m',
      summary: 'lukhas does not answer: no canary is checked, rolled back or promoted',
    },
    {
      quiet: of('up', '1x60'),
      fires: { 'up{job="others",instance="b"}': '1x60' },
      at: '2m',
      bare: true,
      summary: 'lukhas does not answer: no canary is checked, rolled back or promoted',
    },
  ],
  LukhasNoReadings: [
    {
      quiet: of('lukhas_fallback_longest_seconds', '90x10'),
      fires: of('lukhas_fallback_longest_seconds', '91x10'),
      at: '1m',
      summary: 'No metrics for a canary for 1m 31s: it is not judged, and cannot be promoted',
    },
  ],
  LukhasBlockedWithoutMetrics: [
    {
      quiet: of('lukhas_no_data_verdicts_total', '3x60'),
      fires: of('lukhas_no_data_verdicts_total', '3x5 4x60'),
      at: '8m',
      summary: 'A canary was ended because its metrics were missing',
    },
  ],
  LukhasCanaryStuck: [
    {
      quiet: of('lukhas_canary_overdue_seconds', '900x10'),
      fires: of('lukhas_canary_overdue_seconds', '901x10'),
      at: '1m',
      summary: 'A canary is still RUNNING 15m 1s after the end of its window',
    },
  ],
  LukhasTicksLate: [
    {
      // Once is a machine that was paused.
      quiet: of('lukhas_ticks_late_total', step(5, 1)),
      fires: of('lukhas_ticks_late_total', '0x5 1+1x60'),
      at: '17m',
      summary: 'Canary checks have been late for 10 minutes: rollbacks come late too',
    },
    {
      quiet: of('lukhas_ticks_late_total', step(5, 40)),
      fires: of('lukhas_ticks_late_total', '0x5 1 1 1 2 2 2 3 3 3 4 4 4 5 5 5 6 6 6'),
      at: '17m',
      summary: 'Canary checks have been late for 10 minutes: rollbacks come late too',
    },
  ],
  LukhasHookFailed: [
    {
      quiet: of('lukhas_hook_results_total', step(5, 3), ',action="rollback",result="ok"'),
      fires: of('lukhas_hook_results_total', step(5, 1), ',action="rollback",result="failed"'),
      at: '8m',
      labels: { action: 'rollback', result: 'failed' },
      summary: 'A rollback hook failed: the decision stands, but traffic may not follow it',
    },
    {
      // What it counted before Prometheus knew it is not new.
      quiet: of('lukhas_hook_results_total', '4x60', ',action="promote",result="failed"'),
      fires: of('lukhas_hook_results_total', '4x5 5x60', ',action="promote",result="failed"'),
      at: '8m',
      labels: { action: 'promote', result: 'failed' },
      summary: 'A promote hook failed: the decision stands, but traffic may not follow it',
    },
  ],
  LukhasVerificationFailed: [
    {
      quiet: of('lukhas_verification_failures_total', '1x300'),
      fires: of('lukhas_verification_failures_total', '0x60 1x300'),
      at: '2h',
      summary: 'The log failed verification: somebody or something changed what was recorded',
    },
  ],
  LukhasWitnessBehind: [
    {
      quiet: of('lukhas_witness_behind_seconds', '5400x10'),
      fires: of('lukhas_witness_behind_seconds', '5460x10'),
      at: '1m',
      summary: 'A witness or anchor has been missing the newest checkpoint for 1h 31m 0s',
    },
  ],
  LukhasBreakGlassUnreviewed: [
    {
      quiet: of('lukhas_breakglass_unreviewed', '0x10'),
      fires: of('lukhas_breakglass_unreviewed', '1x10'),
      at: '1m',
      summary: '1 break-glass promotion(s) without a review',
    },
  ],
  LukhasExportFailed: [
    {
      quiet: of('lukhas_export_failures_total', '2x60'),
      fires: of('lukhas_export_failures_total', '2x5 3x60'),
      at: '8m',
      summary: 'An evidence export failed: whoever asked for it has no complete pack',
    },
  ],
  LukhasStreamDrops: [
    {
      // 4 and 6 of 100 that were open all the time.
      quiet: { ...of('lukhas_sse_clients', '100x60'), ...streams(0, 4) },
      fires: { ...of('lukhas_sse_clients', '100x60'), ...streams(0, 6) },
      at: '12m',
      summary: '6% of the event stream clients of 5 minutes were dropped for reading too slowly',
    },
    {
      // Those that came meanwhile count: 8 of 160, then 10 of 160.
      quiet: { ...of('lukhas_sse_clients', '100x60'), ...streams(60, 8) },
      fires: { ...of('lukhas_sse_clients', '100x60'), ...streams(60, 10) },
      at: '12m',
      summary: '6.25% of the event stream clients of 5 minutes were dropped for reading too slowly',
    },
  ],
  LukhasInternalErrors: [
    {
      quiet: of('lukhas_errors_total', '7x60'),
      fires: of('lukhas_errors_total', '7x5 8x60'),
      at: '8m',
      summary: 'The daemon reports errors of its own',
    },
  ],
  LukhasBackupOld: [
    {
      // Made at the beginning, an hour after the epoch.
      quiet: of('lukhas_backup_last_success_timestamp_seconds', '3600x2000'),
      fires: of('lukhas_backup_last_success_timestamp_seconds', '3540x2000'),
      at: '27h',
      summary: 'The newest backup is 1d 2h 1m 0s old (limit 26 h)',
    },
    {
      // None is 0; promtool's clock begins there, too.
      quiet: of('lukhas_backup_last_success_timestamp_seconds', '0x10'),
      fires: of('lukhas_backup_last_success_timestamp_seconds', '-1700000000x10'),
      at: '1m',
      summary: 'No backup was ever made',
    },
  ],
  LukhasDiskNearlyFull: [
    {
      // 5% of 100 GiB, then less.
      quiet: { ...of('lukhas_disk_free_bytes', '5368709120x60'), ...of('lukhas_disk_size_bytes', '107374182400x60') },
      fires: { ...of('lukhas_disk_free_bytes', '5368709119x60'), ...of('lukhas_disk_size_bytes', '107374182400x60') },
      at: '6m',
      summary: 'The disk of the database is nearly full',
    },
    {
      // 1 GiB of 10, then less.
      quiet: { ...of('lukhas_disk_free_bytes', '1073741824x60'), ...of('lukhas_disk_size_bytes', '10737418240x60') },
      fires: { ...of('lukhas_disk_free_bytes', '1073741823x60'), ...of('lukhas_disk_size_bytes', '10737418240x60') },
      at: '6m',
      summary: 'The disk of the database is nearly full',
    },
    {
      // Not for five minutes.
      quiet: { ...of('lukhas_disk_free_bytes', '9e9x3 1e6x60'), ...of('lukhas_disk_size_bytes', '10737418240x60') },
      fires: { ...of('lukhas_disk_free_bytes', '9e9x0 1e6x60'), ...of('lukhas_disk_size_bytes', '10737418240x60') },
      at: '7m',
      summary: 'The disk of the database is nearly full',
    },
  ],
};

/** So many more opened, and dropped, within the last five minutes. */
function streams(opened: number, dropped: number): Input {
  return {
    ...of('lukhas_sse_clients_opened_total', `500x9 ${500 + opened}x60`),
    ...of('lukhas_sse_clients_dropped_total', `20x9 ${20 + dropped}x60`),
  };
}

describe('the alerts of the package', () => {
  const rules = new Map(shippedRules().map((rule) => [rule.alert, rule]));
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'lukhas-rules-'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  /** What promtool says of tests of the shipped file. */
  function promtool(tests: readonly object[]): string {
    const file = join(dir, 'tests.json');
    writeFileSync(file, JSON.stringify({ rule_files: [RULES_FILE], evaluation_interval: '1m', tests }));
    try {
      return execFileSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      return `${stdout}${stderr}`;
    }
  }

  const tested = (input: Input, alertname: string, eval_time: string, exp_alerts: readonly object[]) => ({
    interval: '1m',
    input_series: Object.entries(input).map(([series, values]) => ({ series, values })),
    alert_rule_test: [{ alertname, eval_time, exp_alerts }],
  });

  function expected({ labels, annotations }: Rule, edge: Edge): object {
    const where = edge.bare ? { job: 'lukhas' } : { job: 'lukhas', instance: 'a:8766' };
    return {
      exp_labels: { ...labels, ...where, ...edge.labels },
      exp_annotations: { ...annotations, summary: edge.summary },
    };
  }

  it('are rules that promtool accepts, each with a severity and a runbook, and no runbook is left over', () => {
    expect(execFileSync('promtool', ['check', 'rules', RULES_FILE], { encoding: 'utf8' })).to.contain('SUCCESS');
    expect([...rules.keys()].sort()).to.deep.equal(Object.keys(EDGES).sort());
    for (const { labels } of rules.values()) expect(labels['severity']).to.be.oneOf(['critical', 'warning']);
    const named = [...rules.values()].map(({ annotations }) => annotations['runbook_url']);
    expect([...new Set(named)].sort()).to.deep.equal(runbooks().sort());
  });

  for (const [name, edges] of Object.entries(EDGES))
    it(`${name} is silent on one side of its edge, and fires on the other`, () => {
      const rule = rules.get(name)!;
      for (const edge of edges) {
        const quiet = promtool([tested(edge.quiet, name, edge.at, [])]);
        expect(quiet, `quiet, ${JSON.stringify(edge.quiet)}`).to.match(/SUCCESS\s*$/);
        const fires = promtool([tested(edge.fires, name, edge.at, [expected(rule, edge)])]);
        expect(fires, `fires, ${JSON.stringify(edge.fires)}`).to.match(/SUCCESS\s*$/);
      }
    });
});
