// Compiles src to dist with plain tsc. Runs after `npm ci` in a checkout and before a publish; an
// installed package has dist already and no compiler, so there it does nothing.
'use strict'
var fs = require('fs')
var path = require('path')

var compiler = path.join(__dirname, '..', 'node_modules', 'typescript', 'bin', 'tsc')
if (fs.existsSync(compiler)) {
  require('./node.cjs').run([compiler, '-p', path.join(__dirname, '..', 'tsconfig.build.json')])
}
