import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, ready } from '../prometheus.js';

/** An alert as a webhook gets it. */
export interface Received {
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** A real Alertmanager, from Debian, and the webhook that it passes all alerts on to. */
export class Alertmanager {
  readonly received: Received[] = [];

  private constructor(
    readonly address: string,
    private readonly dir: string,
    private readonly child: ChildProcess,
    private readonly webhook: Server,
  ) {}

  static async start(): Promise<Alertmanager> {
    const dir = mkdtempSync(join(tmpdir(), 'lukhas-alertmanager-'));
    const webhook = createServer();
    webhook.listen(0, '127.0.0.1');
    await once(webhook, 'listening');
    const url = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`;
    const config = {
      route: { receiver: 'webhook', group_by: ['...'], group_wait: '0s', group_interval: '1s', repeat_interval: '1h' },
      receivers: [{ name: 'webhook', webhook_configs: [{ url, send_resolved: true }] }],
    };
    const file = join(dir, 'alertmanager.yml');
    writeFileSync(file, JSON.stringify(config));
    const address = `127.0.0.1:${await freePort()}`;
    const args = [`--config.file=${file}`, `--storage.path=${dir}`, `--web.listen-address=${address}`];
    const quiet = ['--cluster.listen-address=', '--log.level=error'];
    const child = spawn('prometheus-alertmanager', [...args, ...quiet], { stdio: ['ignore', 'ignore', 'inherit'] });
    const manager = new Alertmanager(address, dir, child, webhook);
    webhook.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        manager.received.push(...(JSON.parse(body) as { alerts: Received[] }).alerts);
        response.end();
      });
    });
    await ready(async () => (await fetch(`http://${address}/-/ready`)).ok);
    return manager;
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    if (this.child.exitCode === null && this.child.kill('SIGTERM')) await ended;
    this.webhook.close();
    this.webhook.closeAllConnections();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
