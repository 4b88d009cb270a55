/**
 * A process of its own that asks for /healthz every 20 ms, each time on a new connection, as probes do, and whether or not the
 * one before was answered: a daemon that is held up makes every one of them wait. A line on standard input names the address
 * to ask, an empty line ends that; the answer is one line of JSON.
 */
import { get } from 'node:http';
import { createInterface } from 'node:readline';

const EVERY_MS = 20;
/** As a patient orchestrator: by then the daemon counts as dead. */
const TIMEOUT_MS = 10_000;

let times: number[] = [];
let failed = 0;
let timer: NodeJS.Timeout | undefined;
let open = 0;

function ask(url: string): void {
  const began = performance.now();
  open++;
  let over = false;
  const ended = (ok: boolean): void => {
    if (over) return;
    over = true;
    open--;
    times.push(performance.now() - began);
    if (!ok) failed++;
  };
  const sent = get(url, { agent: false, timeout: TIMEOUT_MS }, (response) => {
    response.resume();
    response.once('end', () => ended(response.statusCode === 200));
  });
  sent.once('timeout', () => sent.destroy()).once('error', () => ended(false));
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line !== '') {
    [times, failed] = [[], 0];
    ask(line);
    timer = setInterval(() => ask(line), EVERY_MS);
    continue;
  }
  clearInterval(timer);
  while (open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  console.log(JSON.stringify({ times, failed }));
}
