import { type Labels, showLabels } from '../labels.js';
import { fitAll } from '../promql/index.js';
import type { Sample } from '../signals/index.js';
import { type Plan, PROCESS_START } from './plan.js';

/** Labels whose value names a process, or the place where one runs. */
const INSTANCE_LABELS: ReadonlySet<string> = new Set(
  [
    ['instance', 'instance_id', 'exported_instance', 'service_instance_id'],
    ['pod', 'pod_name', 'exported_pod', 'pod_ip', 'podname'],
    ['k8s_pod_name', 'k8s_pod_uid', 'kubernetes_pod_name', 'pid', 'process_id', 'process_pid', 'process_index'],
    ['worker', 'worker_id', 'worker_pid', 'WorkerId', 'replica', 'replica_id', 'container', 'container_id'],
    ['container_name', 'hostname', 'host_name', 'node_name', 'nodename'],
  ].flat(),
);

/**
 * Labels that name a process in some services, and in others what a request is for or from (the `Host` header, a task, a
 * client's address). Then a new value is no new process, and what it has counted has just happened.
 */
const PERHAPS: ReadonlySet<string> = new Set([
  'host',
  'ip',
  'node',
  'process',
  'rank',
  'server_id',
  'slot',
  'task',
  'task_id',
]);

/** What tells a sample's process apart, in one spelling; empty where nothing does. */
type InstanceOf = (sample: Sample) => string;

/**
 * By which labels the processes of one target are told apart: those that are known to name one, and those that tell apart
 * when processes began. Of failures only those that requests have too: each failure is one of a process that serves
 * requests, so `errors_total{worker="3"}` beside requests without a worker is not another process.
 */
export function instanceLabels(samples: readonly Sample[], plan: Plan): InstanceOf {
  const began = new Set<string>();
  const served = new Set<string>();
  let isServed = false;
  for (const sample of samples) {
    if (sample.name === PROCESS_START) addNames(sample.labels, PERHAPS, began);
    else if (isUsed(sample, plan, plan.requests) && !isFailure(sample, plan)) {
      isServed = true;
      addNames(sample.labels, null, served);
    }
  }
  const names = (label: string): boolean => INSTANCE_LABELS.has(label) || began.has(label);
  const namesFailing = (label: string): boolean => served.has(label) && names(label);
  return (sample) => spelt(sample.labels, isServed && isFailure(sample, plan) ? namesFailing : names);
}

function addNames(labels: Labels, only: ReadonlySet<string> | null, into: Set<string>): void {
  for (const label in labels) if (labels[label] !== '' && (only === null || only.has(label))) into.add(label);
}

function spelt(labels: Labels, names: (label: string) => boolean): string {
  let found: Labels | null = null;
  for (const name in labels) {
    if (labels[name] === '' || !names(name)) continue;
    found ??= {};
    found[name] = labels[name]!;
  }
  return found === null ? '' : showLabels(found);
}

function isFailure(sample: Sample, plan: Plan): boolean {
  return isUsed(sample, plan, plan.failures);
}

function isUsed({ name, labels }: Sample, { byName }: Plan, terms: readonly number[]): boolean {
  for (const use of byName.get(name) ?? [])
    if (use.kind === 'term' && terms.includes(use.index) && fitAll(use.matchers, labels)) return true;
  return false;
}
