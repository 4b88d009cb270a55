import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../lukhas.js';
import { freePort, ready } from '../prometheus.js';

export const NAME = 'lukhas.example.org';

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  bytes: Buffer;
  /** JSON, if it is. */
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire
  json(): any;
}

/** Name of a shipped file, and how it becomes that of a program on free ports of loopback with a certificate of our own. */
export interface Kind {
  program: 'nginx' | 'caddy';
  args(dir: string): string[];
  /** @param ports of HTTP and HTTPS */
  config(shipped: string, place: { dir: string; upstream: string; http: number; https: number }): string;
  file: string;
}

/** What stands in the way of running two of them as nobody special, on other ports, is replaced; nothing else. */
export const KINDS: Record<'nginx' | 'caddy', Kind> = {
  nginx: {
    program: 'nginx',
    file: 'assets/deploy/nginx.conf',
    args: (dir) => ['-c', join(dir, 'main.conf'), '-p', dir, '-e', 'stderr', '-g', 'daemon off;'],
    config: (shipped, { dir, upstream, http, https }) => {
      const site = shipped
        .replaceAll(/^ *listen \[::\].*\n/gm, '')
        .replace('listen 80;', `listen 127.0.0.1:${http};`)
        .replace('listen 443 ssl', `listen 127.0.0.1:${https} ssl`)
        .replace('127.0.0.1:8766', upstream)
        .replaceAll('/etc/ssl/lukhas', dir);
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${dir}/tmp;`);
      return `pid ${dir}/pid; worker_processes 1; worker_rlimit_nofile 8192; events { worker_connections 4096; }
http { access_log off; ${temporary.join(' ')}\n${site}\n}\n`;
    },
  },
  caddy: {
    program: 'caddy',
    file: 'assets/deploy/Caddyfile',
    args: (dir) => ['run', '--adapter', 'caddyfile', '--config', join(dir, 'main.conf')],
    config: (shipped, { dir, upstream, http, https }) =>
      shipped
        .replace(/^\{$/m, `{\n\tadmin off\n\thttp_port ${http}\n\thttps_port ${https}\n\tdefault_bind 127.0.0.1`)
        .replace(/^lukhas\.example\.org \{$/m, `lukhas.example.org {\n\ttls ${dir}/fullchain.pem ${dir}/privkey.pem`)
        .replace('127.0.0.1:8766', upstream),
  },
};

/** A real proxy, from Debian, in front of a daemon, with the file of the package. */
export class FrontProxy {
  private constructor(
    readonly https: number,
    readonly http: number,
    private readonly dir: string,
    private readonly child: ChildProcess,
    private readonly agent: Agent,
  ) {}

  static async start({ program, args, config, file }: Kind, daemon: string): Promise<FrontProxy> {
    const dir = mkdtempSync(join(tmpdir(), `lukhas-${program}-`));
    mkdirSync(join(dir, 'tmp'));
    const [http, https] = [await freePort(), await freePort()];
    const [cert, key] = [join(dir, 'fullchain.pem'), join(dir, 'privkey.pem')];
    const subject = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', [...made, ...subject, '-keyout', key, '-out', cert], { stdio: 'pipe' });
    const shipped = readFileSync(join(ROOT, file), 'utf8');
    const text = config(shipped, { dir, upstream: new URL(daemon).host, http, https });
    writeFileSync(join(dir, 'main.conf'), text);
    const env = { ...process.env, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
    let said = '';
    const child = spawn(program, args(dir), { env, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.setEncoding('utf8').on('data', (line: string) => {
      said += line;
    });
    const failed = once(child, 'exit').then(() => Promise.reject(new Error(`${program} has ended: ${said}`)));
    failed.catch(() => undefined);
    const agent = new Agent({
      ca: readFileSync(cert),
      servername: NAME,
      keepAlive: true,
      maxSockets: Number.POSITIVE_INFINITY,
    });
    const proxy = new FrontProxy(https, http, dir, child, agent);
    await Promise.race([ready(async () => (await proxy.ask('/healthz')).status === 200), failed]);
    return proxy;
  }

  get origin(): string {
    return `https://${NAME}:${this.https}`;
  }

  /** The certificate is checked. */
  open(path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = {
        ...{ host: '127.0.0.1', port: this.https, path, method, agent: this.agent },
        headers: { Host: `${NAME}:${this.https}`, ...headers },
      };
      request(options, resolve).once('error', reject).end(body);
    });
  }

  async ask(path: string, asked: Asked = {}): Promise<Answer> {
    const response = await this.open(path, asked);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const { statusCode: status = 0, headers } = response;
    return { status, headers, bytes, json: () => JSON.parse(bytes.toString()) };
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    const ended = once(this.child, 'exit');
    if (this.child.exitCode === null && this.child.kill('SIGKILL')) await ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}
