// For bundles that are CommonJS: no `await` outside of functions.
const { rounds } = require('./rounds.mjs')

const [url, topic] = process.argv.slice(2)
rounds(url, topic).then((count) => console.log(`read ${count}`))
