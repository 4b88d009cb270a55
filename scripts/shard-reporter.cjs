// Tells of each file of tests in one line, and of failures at the end. What it counted goes into the file that the
// reporter option `results` names, for scripts/e2e.js.
const { writeFileSync } = require('node:fs');
const { relative } = require('node:path');
const { Base } = require('mocha').reporters;

module.exports = class ShardReporter extends Base {
  constructor(runner, options) {
    super(runner, options);
    const seconds = {};
    let file = null;
    let began = 0;
    let [passed, failed] = [0, 0];
    const finishFile = () => {
      if (file === null) return;
      const { passes, failures } = this.stats;
      seconds[file] = Math.round((Date.now() - began) / 100) / 10;
      const failing = failures > failed ? `, ${failures - failed} failing` : '';
      Base.consoleLog(`${file}: ${passes - passed} passing${failing} (${seconds[file]} s)`);
      [passed, failed] = [passes, failures];
    };
    runner.on('suite', (suite) => {
      if (!suite.parent?.root) return;
      const next = relative(process.cwd(), suite.file);
      if (next === file) return;
      finishFile();
      [file, began] = [next, Date.now()];
    });
    runner.once('end', () => {
      finishFile();
      this.epilogue();
      const { results } = options.reporterOption ?? {};
      if (results === undefined) return;
      const { passes, failures, pending } = this.stats;
      writeFileSync(results, JSON.stringify({ passes, failures: failures + pending, seconds }));
    });
  }
};
