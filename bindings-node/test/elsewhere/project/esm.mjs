import { rounds } from './rounds.mjs'

const [url, topic] = process.argv.slice(2)
console.log(`read ${await rounds(url, topic)}`)
