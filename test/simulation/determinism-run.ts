// Plays one seed of a story with everything in it and prints its trace hash: `determinism.test.ts`
// runs this in processes of its own.
import { playStory } from './determinism-story.ts'

const seed = Number(process.argv[2])
const { traceHash, error } = await playStory(seed)
if (error !== undefined) throw error
console.log(traceHash)
