/**
 * The tokens of each language, in the classes of the terminal's highlighter. The first expression that matches
 * counts; the last ones take whole words, so that no token begins inside one.
 */
export type Grammar = readonly (readonly [kind: string, expression: string])[];

const raw = String.raw;
const STRING = raw`"(?:[^"\\]|\\.)*"?`;
const QUOTED = raw`'(?:[^'\\]|\\.)*'?`;

const HLO: Grammar = [
  ["string", STRING],
  ["comment", raw`/\*.*?\*/|//.*`],
  ["definition", raw`(?<=^ +(?:ROOT )?)%?[A-Za-z_][\w.-]*(?= = )`],
  ["keyword", raw`(?:HloModule|ENTRY|ROOT)\b|->`],
  ["symbol", raw`(?<=^(?:ENTRY )?)%?[A-Za-z_][\w.-]*(?= [({])`],
  ["symbol", raw`(?<=\b(?:calls|to_apply|body|condition|\w+_computations?)=\{?)%?[A-Za-z_][\w.-]*`],
  ["name", raw`%[\w.-]+`],
  ["shape", raw`(?<=\w)\[[\d,<=?]*\]`],
  ["location", raw`(?<=\])\{[\d,]*(?::[^{}\s]*)?\}`],
  ["dtype", raw`[a-z]\w*(?=\[)`],
  ["op", raw`(?<= )[a-z][\w-]*(?=\()`],
  ["number", raw`-?\b(?:\d[\w.]*(?:(?<=e)[+-]\d+)?|inf|nan|true|false)\b`],
  ["location", raw`(?:metadata|stack_frame_id|source_\w+)(?==)|^(?:File|Function|Stack)\w+`],
  ["attribute", raw`[A-Za-z_]\w*(?==)`],
  ["name", raw`(?<=[(, ])[A-Za-z_][\w-]*(?:\.[\w-]+)+(?=[,)])`],
  ["plain", raw`[\w.-]+`],
];

const SCALAR = raw`(?:bool|b?f\d\w*|[iuc]\d+|key<\w+>|float0|(?:float|u?int|complex|bfloat)\d\w*)`;
const JAXPR: Grammar = [
  ["comment", raw`^ *# .*`],
  ["string", `${STRING}|${QUOTED}|${raw`<(?:function|class|bound|built-in|object)\b[^>]*>?`}`],
  ["keyword", raw`(?<![\w=])(?:lambda|let|in)(?![\w=:,)>])`],
  ["definition", raw`(?<=^ +(?:[a-z_]+(?::\S+)? )*)[a-z_]+(?=:\S* (?:\S+:\S+ )*= )`],
  ["name", raw`(?<![\w=.])[a-z_]{1,4}(?=:[\w(])`],
  ["shape", raw`(?<=[\w>])\[[^\][\s=]*\]`],
  ["attribute", raw`[A-Za-z_]\w*(?==)`],
  ["dtype", raw`${SCALAR}(?=\[)|(?<==)${SCALAR}\b`],
  ["op", raw`(?<= = )[a-z_][\w-]*|[a-z_][\w-]*(?=\[)`],
  ["symbol", raw`(?<=\blet |\bname=|jaxpr=)[A-Za-z_]\w*`],
  ["name", raw`(?<=[ (])[a-z_]{1,4}(?=[ ,)\]]|$)`],
  ["number", raw`-?\b\d+(?:\.\d*)?(?:e[+-]?\d+)?|\b(?:None|True|False)\b`],
  ["plain", raw`[\w.]+`],
];

const STABLEHLO: Grammar = [
  ["op", raw`"[a-z_]+\.[\w.]+"(?=\()`],
  ["string", STRING],
  ["location", raw`loc\((?:[^()"]|${STRING}|\([^()"]*\))+\)|#loc\w*`],
  ["attribute", raw`#\w+(?:\.\w+)*`],
  ["symbol", raw`[@^][\w.$-]+`],
  ["definition", raw`(?<=^ *)%[\w.$-]+(?::\d+)?(?= = )`],
  ["name", raw`%[\w.$#-]+`],
  ["shape", raw`(?<=<)(?:(?:\d+|\?)x)+(?=[a-z!])`],
  ["number", raw`(?<![\w.])-?(?:0x[0-9A-F]+|\d[\d.]*(?:[eE][+-]?\d+)?)`],
  ["keyword", "->"],
  ["comment", "//.*"],
  ["dtype", raw`(?<=\b|[\d?]x)(?:(?:[su]?i|b?f|tf|ui)\d\w*|index|none|complex)\b|![\w.]+`],
  ["op", raw`\b(?:stablehlo|chlo|vhlo|func|sdy|arith)\.(?!func\b|sharding\b)\w+|\bcall\b`],
  ["keyword", raw`\b(?:module|func\.func|return|public|private|attributes|cond|do|init|applies|across)\b(?!\.)`],
  ["number", raw`\b(?:true|false)\b`],
  ["attribute", raw`\b[A-Za-z_][\w.]+(?=\s|=|$)`],
  ["plain", raw`[\w.]+`],
];

const LLVM: Grammar = [
  ["comment", ";.*"],
  ["symbol", raw`@(?:"[^"]*"|[\w.$-]+)|^[\w.$-]+(?=:)`],
  ["definition", raw`(?<=^ +)%[\w.$-]+(?= = )`],
  ["name", raw`%(?:"[^"]*"|[\w.$-]+)`],
  ["string", raw`c?"[^"]*"?`],
  ["location", raw`![\w.]*|#\d+`],
  ["keyword", raw`\b(?:define|declare|type|global|constant|private|internal|external)\b`],
  ["keyword", raw`\b(?:source_filename|target|attributes|to)\b`],
  ["op", raw`(?<= = |^ +)[a-z]\w*|\bcall\b`],
  ["dtype", raw`\b(?:i\d+|float|double|half|bfloat|ptr|void|label)\b`],
  ["shape", raw`(?<=[<[])\d+(?= x)`],
  ["number", raw`-?\b(?:f?0x[KMLHR]?[0-9A-Fa-f]+|\d[\d.]*(?:e[+-]?\d+)?)\b`],
  ["number", raw`\b(?:true|false|null|poison|undef|zeroinitializer)\b`],
  ["attribute", raw`\b(?:align|nuw|nsw|nneg|inbounds|disjoint|exact|no[a-z]+|fast|reassoc|contract|nnan|ninf|nsz)\b`],
  ["attribute", raw`\b(?:arcp|afn|readonly|writeonly|(?:local_)?unnamed_addr|captures|dereferenceable)\b`],
  ["plain", raw`[\w.]+`],
];

const X86 = raw`\b(?:[re]?(?:[abcd]x|[sd]i|[sbi]p)|[abcd][lh]|(?:[sd]i|[sb]p)l|r\d+[dwb]?|[xyz]mm\d+|k[0-7]|[c-gs]s)\b`;
const AARCH64 = raw`\b(?:[xwvqdsbhz]\d+(?:\.\w+)?|[xw]zr)\b`;
const ASM: Grammar = [
  ["comment", raw`;.*|//.*|# .*`],
  ["location", raw`(?<=^\s*)[0-9a-f]+:(?!\S)|(?<=^\s*[0-9a-f]+:\s(?:[0-9a-f]{2,8} )*)(?:[0-9a-f]{2}|[0-9a-f]{8})(?=\s)`],
  ["symbol", raw`^[A-Za-z_.$][\w.$]*(?=:)|\.L\w+|<[^<>\s]+>`],
  ["op", raw`(?<=^ {2,}|\t)[a-z][\w.]*`],
  ["name", `${X86}|${AARCH64}`],
  ["attribute", raw`\b(?:BYTE|[A-Z]*WORD|PTR)\b`],
  ["number", raw`#?-?\b(?:0x[0-9a-f]+|\d+)\b`],
  ["plain", raw`[\w.]+`],
];

const KEYWORDS =
  "and as assert async await break class continue def del elif else except finally for from global if import in is " +
  "lambda nonlocal not or pass raise return try while with yield match case";
const PYTHON: Grammar = [
  ["comment", "#.*"],
  ["string", raw`\b[rbfuRBFU]{0,2}(?:"""(?:[^"\\]|\\.|"(?!""))*(?:""")?|'''(?:[^'\\]|\\.|'(?!''))*(?:''')?)`],
  ["string", raw`(?:\b[rbfuRBFU]{1,2})?(?:${STRING}|${QUOTED})`],
  ["attribute", raw`(?<=^\s*)@[\w.]+`],
  ["definition", raw`(?<=\b(?:def|class) )\w+`],
  ["keyword", raw`(?<!\.)\b(?:${KEYWORDS.replaceAll(" ", "|")})\b(?!\s*=[^=])`],
  ["number", raw`\b(?:None|True|False|0[xob][\da-fA-F_]+|\d[\d_]*\.?\d*(?:e[+-]?\d+)?j?)\b`],
  ["op", raw`\b[A-Za-z_]\w*(?=\()`],
  ["plain", raw`\w+`],
];

export const GRAMMARS = new Map<string, Grammar>([
  ["python", PYTHON],
  ["jaxpr", JAXPR],
  ["stablehlo", STABLEHLO],
  ["hlo", HLO],
  ["llvm", LLVM],
  ["asm", ASM],
]);
