"""The colours of each language, and that taking them off gives the very text."""

import html
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitinspect.render.highlight import engine, highlight, hlo
from jitinspect.render.highlight.engine import BLOCK, Painter
from jitinspect.render.highlight.theme import CLASSES, CSS, HTML, TERMINAL, Theme

LANGUAGES = ("jaxpr", "stablehlo", "hlo", "llvm", "asm")
SPELLED = Theme({name: f"<{name}:" for name in CLASSES}, ">", escape=str)

JAXPR = """\
{ lambda ; a:f32[8,64] b:i32[]. let
    c:f32[8] = jit[
      name=_where
      jaxpr={ lambda ; d:f32[8,64] e:i32[]. let
          f:f32[8] = reduce_sum[axes=(1,) out_sharding=None] d
          in:f32[8] = mul f 2.5e-1:f32[]
        in (in,) }
    ] a b
    g:key<fry>[] = pure_callback[callback=<function cb at 0x7f> fmt='it is {} a'] in c
  in (c, g) }
"""
STABLEHLO = """\
#loc1 = loc("x")
module @jit_f attributes {mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<8x?xf32> loc("x")) -> (tensor<f32> {jax.result_info = "r % \\22 s"}) {
    %cst = stablehlo.constant dense<-1.5e+00> : tensor<f32> loc(#loc1)
    %0:2 = "stablehlo.sort"(%arg0, %cst) <{dimension = 0 : i64}> ({
    ^bb0(%arg1: tensor<f32>):
    }) : (tensor<8x?xf32>) -> tensor<bf16> loc("jit(f)/sort"(#loc1))
    return %0#1 : tensor<bf16>
"""
HLO = """\
HloModule jit_f, is_scheduled=true, entry_computation_layout={(f32[8,64]{1,0})->f32[]}

FileNames
1 "/tmp/python3.11/a b.py"

%fused_computation.1 (param_0.1: f32[8,64], p.2: s32[]) -> f32[8] {
  %param_0.1 = f32[8,64]{1,0} parameter(0), metadata={op_name="a['w'] 100%b \\" x" stack_frame_id=3}
  ROOT %mul.2 = f32[8]{0} multiply(%param_0.1, /*index=5*/%p.2), dimensions={0}, to_apply=%add
}
"""
BARE_HLO = """\
relu.1 {
  Arg_0.1 = f32[8]{0} parameter(0)
  ROOT max.1 = pred[] maximum(Arg_0.1, c.2), to_apply=add.3
}
"""
LLVM = """\
define ptr @f(ptr %0) {
  %2 = getelementptr i8, ptr %0, i64 -24

exit:                                 ; preds = %1
  store <8 x float> %2, ptr @"a b", align 4
"""
ASM = """\
f:
    vmovss xmm0,DWORD PTR [rdi+r9*4+0x2e0]  # .rodata
    ja     .L2ff
"""
SAMPLES = [
    ("jaxpr", JAXPR),
    ("stablehlo", STABLEHLO),
    ("hlo", HLO),
    ("hlo", BARE_HLO),
    ("llvm", LLVM),
    ("asm", ASM),
]


def colored(text, language, theme=SPELLED):
    return "".join(highlight(text, language, theme))


def without_sgr(text):
    return re.sub("\x1b\\[[0-9;]*m", "", text)


def without_tags(text):
    return html.unescape(re.sub("<[^>]*>", "", text))


def soup():
    """Texts out of what the languages are made of, mostly at the wrong place."""
    atoms = [atom for _, text in SAMPLES for atom in re.findall(r"\w+|\W", text)]
    odd = ['"', "'", '\\"', "%", "%a", "#loc", "<function ", "/*", "->", "&lt;", "é"]
    return st.lists(st.sampled_from([*atoms, *odd, " (", "\n\n", " = ", "\x1b[", "\0"])).map("".join)


@pytest.mark.parametrize("language", [*LANGUAGES, "klingon"])
@settings(max_examples=60, deadline=None)
@given(text=st.text() | soup())
def test_without_colors_it_is_the_text(language, text):
    assert without_sgr(colored(text, language, TERMINAL)) == without_sgr(text)
    assert without_tags(colored(text, language, HTML)) == text


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=40, deadline=None)
@given(text=st.text() | soup())
def test_html_is_well_formed(language, text):
    tags = re.findall("<(/?)span[^>]*>", colored(text, language, HTML))
    assert tags == ["", "/"] * (len(tags) // 2)


@pytest.mark.parametrize(("language", "text"), SAMPLES)
def test_samples_come_back_from_each_theme(language, text):
    long = text * 400
    assert without_sgr(colored(long, language, TERMINAL)) == long
    assert without_tags(colored(long, language, HTML)) == long


@pytest.mark.parametrize(("language", "text"), SAMPLES)
def test_a_block_is_colored_as_in_a_text_of_its_own(language, text):
    assert colored(text * 3, language) == colored(text, language) * 3


EXPECTED = {
    "jaxpr": (
        JAXPR,
        "{ <keyword:lambda> ;<name: a>:<dtype:f32><shape:[8,64]><name: b>:<dtype:i32><shape:[]>. <key",
        "= <op:jit>[\n      <attribute:name>=<symbol:_where>",
        "= <op:reduce_sum>[<attribute:axes>=(<number:1>,) <attribute:out_sharding>=<number:None>]<name: d>",
        "<name: in>:<dtype:f32><shape:[8]> = <op:mul><name: f> <number:2.5e-1>:<dtype:f32><shape:[]>",
        "<keyword:in> (<name:in>,) }\n    ]<name: a><name: b>\n",
        "<attribute:callback>=<string:<function cb at 0x7f>> <attribute:fmt>=",
        "<string:'it is {} a'>]<name: in>",
        ":<dtype:key<fry>><shape:[]> = <op:pure_callback>[",
    ),
    "stablehlo": (
        STABLEHLO,
        '<location:#loc1> = <location:loc("x")>\n',
        "<keyword:module> <symbol:@jit_f> <keyword:attributes> {<attribute:mhlo.num_partitions> = <number:1>",
        "(<name:%arg0>: tensor<<shape:8x?x><dtype:f32>> <location:loc",
        '{<attribute:jax.result_info> = <string:"r % \\22 s">})',
        "<definition:%cst> = <op:stablehlo.constant> dense<<number:-1.5e+00>> : tensor<<dtype:f32>>",
        '<definition:%0>:<number:2> = <op:"stablehlo.sort">(<name:%arg0>, <name:%cst>) <{<attribute:dim',
        "<symbol:^bb0>(<name:%arg1>: tensor<<dtype:f32>>):",
        "<keyword:->> tensor<<dtype:bf16>> <location:loc",
        "<keyword:return> <name:%0#1> :",
    ),
    "hlo": (
        HLO,
        "<keyword:HloModule> jit_f, <attribute:is_scheduled>=<number:true>",
        '<location:FileNames>\n<number:1> <string:"/tmp/python3.11/a b.py">\n',
        "<symbol:%fused_computation.1><location: (param_0.1: f32[8,64], p.2: s32[]) ><keyword:->> <dty",
        "  <definition:%param_0.1> = <dtype:f32><shape:[8,64]><location:{1,0}> <op:parameter>(<number:0>), ",
        '<location:metadata>={<attribute:op_name>=<string:"a[\'w\'] 100%b \\" x"> <location:stack_frame_id>',
        "<keyword:ROOT> <definition:%mul.2> = ",
        "<op:multiply>(<name:%param_0.1>, <comment:/*index=5*/><name:%p.2>), <attribute:dimensions>={",
        "<attribute:to_apply>=<symbol:%add>\n}",
    ),
    "bare hlo": (
        BARE_HLO,
        "<symbol:relu.1> {\n <definition: Arg_0.1> = <dtype:f32><shape:[8]><location:{0}> <op:parameter>(",
        "<keyword:ROOT><definition: max.1> = <dtype:pred><shape:[]> <op:maximum><name:(Arg_0.1>,<name: c.2>)",
        "<attribute:to_apply>=<symbol:add.3>",
    ),
    "llvm": (
        LLVM,
        "<keyword:define> <dtype:ptr> <symbol:@f>(<dtype:ptr> <name:%0>) {",
        "<definition:%2> = <op:getelementptr> <dtype:i8>, <dtype:ptr> <name:%0>, <dtype:i64> <number:-24>",
        "<symbol:exit>:                                 <comment:; preds = >",
        '<op:store> <<number:8> x <dtype:float>> <name:%2>, <dtype:ptr> <symbol:@"a b">, <attribute:align>',
    ),
    "asm": (
        ASM,
        "<op:vmovss> <name:xmm0>,<attribute:DWORD> <attribute:PTR> [<name:rdi>+<name:r9>*<number:4>+",
        "  <comment:# .rodata>\n",
        "<op:ja>     <symbol:.L2ff>\n",
    ),
}


@pytest.mark.parametrize("case", EXPECTED)
def test_classes_of_tokens(case):
    text, *expected = EXPECTED[case]
    found = colored(text, case.removeprefix("bare "))
    assert [part for part in expected if part not in found] == []


@pytest.mark.parametrize(("language", "mark"), [("jaxpr", "#"), ("stablehlo", "//"), ("hlo", "//")])
def test_a_line_of_the_users_is_a_comment_as_a_whole(language, mark):
    line = f'{mark} mlp.py:22  return "%d" % f(x) if x else -2'
    text = {"jaxpr": JAXPR, "stablehlo": STABLEHLO, "hlo": HLO}[language]
    head, last, tail = text.rpartition("  ")
    found = colored(f"{head}\n  {line}\n{last}{tail}", language)
    assert f"\n  <comment:{line}>\n" in found
    assert found.replace(f"\n  <comment:{line}>\n", "") == colored(text, language)


def test_a_signature_is_a_jaxpr_too():
    assert colored("f(f32[8,4], i32[])", "jaxpr") == "f(<dtype:f32><shape:[8,4]>, <dtype:i32><shape:[]>)"


def test_unknown_languages_are_only_escaped():
    assert colored("%a = <b>", "klingon", HTML) == "%a = &lt;b&gt;"


def test_text_with_escape_codes_of_its_own_stays_plain():
    text = "  %a.1 = f32[] add(\x1b[31m%b.2)\n"
    assert colored(text, "hlo", TERMINAL) == text


def test_blocks_are_whole_lines_and_the_first_comes_at_once():
    blocks = [without_sgr(block) for block in highlight(HLO * 500, "hlo", TERMINAL)]
    assert len(blocks) > 4
    assert all(block.endswith("\n") and len(block) < BLOCK + 200 for block in blocks)


@pytest.mark.parametrize(
    "filler",
    ['"0x' + "7FA0" * 200_000 + '"', "f32[8,4], " * 50_000, "%a.1, " * 80_000, '"' * 50_001],
    ids=["hex constant", "types", "names", "unfinished"],
)
def test_long_lines(filler):
    text = f"  %t.1 = (f32[]) tuple({filler})\n"
    assert without_sgr(colored(text, "hlo", TERMINAL)) == text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("unit", ["/* ", "?x", "1x", "loc(", '"', "<function ", "f32[1,", "{1,0:", " a:"])
def test_what_is_never_finished_is_read_once(language, unit):
    def seconds(repeats):
        start = time.process_time()
        colored(unit * repeats, language)
        return time.process_time() - start

    assert seconds(24_000) < 0.3 + 12 * seconds(6_000), "of four times the text"


def test_memory_is_bounded():
    painter = Painter(hlo.WITH_SIGILS, TERMINAL)
    for start in range(0, 5 * engine._MOST, 1000):
        painter.paint("".join(f"  %a = f32[{n}] add(%b, {n}x{n})\n" for n in range(start, start + 1000)))
    assert len(painter._pieces) < 2 * engine._MOST
    assert len(painter._pieces.words) < 2 * engine._MOST


def test_every_class_has_a_look():
    assert set(TERMINAL.opens) == set(HTML.opens) == set(CLASSES)
    assert all(f".{name} " in CSS for name in CLASSES)
