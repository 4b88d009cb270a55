import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { readerOfOutputMayLeave } from '../cli/output.js';
import type { Fault } from '../demo/index.js';
import { serveSettings } from '../lib/app/index.js';

const FAULTS: Fault[] = ['none', 'latency', 'errors', 'drift', 'crash'];

export default class Serve extends BaseCommand {
  static override summary = 'run the daemon: MCP, event stream, health and metrics over HTTP';
  static override description =
    'Drives every canary and job of the database, including those that other commands start. On SIGINT or SIGTERM it finishes running steps and stops; the next start continues with what is open. Nothing is written to standard output, except with --stdio.';
  static override examples = [
    '<%= config.bin %> serve',
    '<%= config.bin %> serve --demo',
    '<%= config.bin %> serve --host 0.0.0.0 --port 8766',
    '<%= config.bin %> serve --stdio --read-only',
  ];
  // Standard output belongs to the protocol, or to nobody.
  static override enableJsonFlag = false;
  static override flags = {
    host: Flags.string({ description: 'address to listen on (default: 127.0.0.1)', helpValue: 'HOST' }),
    port: Flags.string({ description: 'port, 0 for any free port (default: 8766, or PORT)', helpValue: 'PORT' }),
    stdio: Flags.boolean({
      description: 'serve one MCP client over standard input and output instead',
      exclusive: ['host', 'port'],
    }),
    demo: Flags.boolean({ description: 'start the demo workload and measure it' }),
    'demo-fault': Flags.string({
      description: "fault of the demo's new version",
      options: FAULTS,
      helpValue: 'FAULT',
      dependsOn: ['demo'],
    }),
    'read-only': Flags.boolean({ description: 'offer only MCP tools that change nothing', default: false }),
    toolsets: Flags.string({
      description: 'offer only these MCP tools: search,canaries,jobs,gates,log',
      helpValue: 'NAMES',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Serve);
    const app = await this.app(flags);
    if (flags.stdio) readerOfOutputMayLeave();
    const { runServe } = await import('../cli/run-serve.js');
    process.exitCode = await runServe(app, {
      version: this.config.version,
      http: flags.stdio ? null : serveSettings(app.config.serve, flags),
      demo: flags.demo ? ((flags['demo-fault'] ?? 'none') as Fault) : null,
      readOnly: flags['read-only'],
      toolsets: flags.toolsets,
      say: (line) => this.say(line),
    });
  }
}
