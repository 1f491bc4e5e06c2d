"""The collectives of HLO texts, in the forms that XLA prints for CPUs, TPUs and GPUs."""

from jitinspect.ir import hlo
from jitinspect.ir.collectives import collectives, part
from jitinspect.ir.dataflow import Dataflow, Place
from jitinspect.ir.executions import BlockExecutions, Executions, needs_whole

MODULE = """HloModule jit_f, is_scheduled=true, entry_computation_layout={{()->()}}, num_partitions=8

{blocks}
ENTRY %main (param: f32[16,8]) -> f32[16,8] {{
  %param = f32[16,8]{{1,0}} parameter(0), metadata={{op_name="x"}}
{entry}
}}
"""


def module(entry, blocks=""):
    return MODULE.format(entry="\n".join(f"  {line}" for line in entry), blocks=blocks)


def only(text):
    (found,) = collectives(part(text))
    (same,) = collectives(hlo.parse(text))
    assert (found.kind, found.bytes_in, found.wire_bytes) == (same.kind, same.bytes_in, same.wire_bytes)
    return found


def test_all_gather():
    one = only(
        module(
            [
                "ROOT %all-gather = f32[64,8]{1,0} all-gather(%param), channel_id=1, "
                "replica_groups=[2,4]<=[4,2]T(1,0), dimensions={0}, use_global_device_ids=true"
            ]
        )
    )
    assert (one.kind, one.group, one.dimension) == ("all-gather", 4, 0)
    assert (one.bytes_in, one.bytes_out, one.wire_bytes) == (512, 2048, 1536)


def test_an_asynchronous_one_is_counted_where_it_starts():
    one = only(
        module(
            [
                "%all-gather-start = (f32[16,8]{1,0}, f32[64,8]{1,0}) all-gather-start(%param), "
                "channel_id=1, replica_groups=[2,4]<=[8], dimensions={0}, use_global_device_ids=true",
                "ROOT %all-gather-done = f32[64,8]{1,0} all-gather-done(%all-gather-start)",
            ]
        )
    )
    assert (one.bytes_in, one.bytes_out) == (512, 2048)


def test_an_asynchronous_all_reduce_has_the_type_of_its_result_or_of_both():
    for start in ("f32[16,8]{1,0}", "((f32[16,8]{1,0}), f32[16,8]{1,0})"):
        one = only(
            module(
                [
                    f"%all-reduce-start = {start} all-reduce-start(%param), channel_id=1, "
                    "replica_groups={{0,1},{2,3},{4,5},{6,7}}, to_apply=%add"
                ]
            )
        )
        assert (one.bytes_in, one.bytes_out, one.wire_bytes) == (512, 512, 512)


def test_several_merged_into_one():
    one = only(
        module(
            [
                "%all-reduce = (f32[16,8]{1,0}, f32[4]{0}) all-reduce(%param, %b), channel_id=1, "
                "replica_groups=[1,8]<=[8], to_apply=%add"
            ]
        )
    )
    assert (one.bytes_in, one.group, one.wire_bytes) == (528, 8, 924)


def test_an_all_to_all_of_pieces():
    pieces = ", ".join(["f32[16,1]{1,0}"] * 4)
    one = only(
        module(
            [
                f"%all-to-all = ({pieces}) all-to-all(%a, %b, %c, %d), channel_id=1, "
                "replica_groups={{0,2,4,6},{1,3,5,7}}"
            ]
        )
    )
    assert (one.bytes_in, one.bytes_out, one.wire_bytes) == (256, 256, 192)


def test_a_permutation():
    start = "(f32[16,8]{1,0:T(8,128)S(1)}, f32[16,8]{1,0}, u32[]{:S(2)}, u32[]{:S(2)})"
    pairs = "source_target_pairs={{0,1},{1,0},{2,2}}"
    one = only(module([f"%cp = {start} collective-permute-start(%param), channel_id=1, {pairs}"]))
    assert (one.kind, one.bytes_out, one.wire_bytes) == ("collective-permute", 512, 512)
    alone = "source_target_pairs={{0,0},{1,1}}"
    one = only(module([f"%cp = f32[16,8]{{1,0}} collective-permute(%param), channel_id=1, {alone}"]))
    assert one.wire_bytes == 0


def test_what_moves_between_host_and_device_is_no_collective():
    sent = "%send = (f32[4]{0}, u32[], token[]) send(%param, %token), channel_id=1, is_host_transfer=true"
    assert collectives(part(module([sent]))) == []
    between = sent.removesuffix(", is_host_transfer=true")
    (one,) = collectives(part(module([between])))
    assert (one.kind, one.bytes_in, one.bytes_out, one.wire_bytes) == ("send", 16, 0, 16)


def test_a_send_and_its_recv_between_devices():
    """XLA for GPUs writes who sends to whom among the frontend attributes."""
    data, pairs = "(f32[4]{0}, u32[], token[])", "frontend_attributes={_xla_send_recv_source_target_pairs="
    pairs += "{{0,1},{1,2}}}"
    send, recv = collectives(
        part(
            module(
                [
                    f"%recv = {data} recv(%token), channel_id=1, {pairs}",
                    f"%send = {data} send(%param, %token), channel_id=1, {pairs}",
                ]
            )
        )
    )[::-1]
    assert (send.kind, send.pairs, send.bytes_in, send.wire_bytes) == ("send", ((0, 1), (1, 2)), 16, 16)
    assert (recv.kind, recv.bytes_in, recv.bytes_out, recv.wire_bytes) == ("recv", 0, 16, 0)


SCATTER = """%all-reduce-scatter.2 (input: f32[16,8]) -> f32[4,8] {
  %input = f32[16,8]{1,0} parameter(0)
  %all-reduce.9 = f32[16,8]{1,0} all-reduce(%input), channel_id=3, replica_groups=[2,4]<=[4,2]T(1,0)
  %at = s32[] constant(0)
  ROOT %dynamic-slice.1 = f32[4,8]{1,0} dynamic-slice(%all-reduce.9, %at, %at), dynamic_slice_sizes={4,8}
}
"""


def test_a_reduce_scatter_as_tpus_have_it():
    fusion = "ROOT %fusion = f32[4,8]{1,0} fusion(%param), kind=kCustom, calls=%all-reduce-scatter.2"
    one = only(module([fusion], SCATTER))
    assert (one.kind, one.bytes_in, one.bytes_out, one.wire_bytes) == ("reduce-scatter", 512, 128, 384)


GATHER = (
    "f32[64,8]{1,0} all-gather(%p), channel_id=7, replica_groups=[2,4]<=[8], dimensions={0}, "
    'frontend_attributes={chain_id="0"}'
)
CHAIN = "\n".join(
    f"%fused.{n} (p: f32[16,8]) -> f32[64,8] {{\n  %p = f32[16,8]{{1,0}} parameter(0)\n"
    f"  %all-gather.{n} = {GATHER}\n"
    f"  ROOT %call.{n} = f32[64,8]{{1,0}} custom-call(%all-gather.{n}), "
    f'custom_call_target="AsyncCollective{word}"\n}}\n'
    for n, word in enumerate(("Start", "Done"))
)


def test_one_in_several_fusions_is_one():
    entry = [
        "%start = f32[64,8]{1,0} fusion(%param), kind=kCustom, calls=%fused.0",
        "%other = f32[64,8]{1,0} fusion(%start), kind=kLoop, calls=%else",
        "%done = f32[64,8]{1,0} fusion(%start), kind=kCustom, calls=%fused.1",
        'ROOT %add = f32[64,8]{1,0} add(%done, %done), metadata={op_name="jit(f)/add"}',
    ]
    text = module(entry, CHAIN)
    one = only(text)
    assert [last.names[0] for _, last in one.others] == ["all-gather.1"]
    flow = Dataflow(part(text))
    assert [place.operation.opcode for place in flow.uses(Place(*one.last))][-1] == "add"
    sources = [place.operation.names[0] for place in flow.sources(Place(one.block, one.operation), 0)]
    assert sources == ["p", "param"]


LOOP = """%body (state: (s32[], f32[16,8])) -> (s32[], f32[16,8]) {
  %state = (s32[], f32[16,8]{1,0}) parameter(0)
  %n = s32[] get-tuple-element(%state), index=0
  %x = f32[16,8]{1,0} get-tuple-element(%state), index=1
  %one = s32[] constant(1)
  %next = s32[] add(%n, %one)
  %all-reduce = f32[16,8]{1,0} all-reduce(%x), channel_id=1, replica_groups=[1,8]<=[8], to_apply=%add
  ROOT %tuple = (s32[], f32[16,8]{1,0}) tuple(%next, %all-reduce)
}

%condition (state.1: (s32[], f32[16,8])) -> pred[] {
  %state.1 = (s32[], f32[16,8]{1,0}) parameter(0)
  %n.1 = s32[] get-tuple-element(%state.1), index=0
  %most = s32[] constant(5)
  ROOT %less = pred[] compare(%n.1, %most), direction=LT
}
"""


def runs(text):
    program = hlo.parse(text) if needs_whole(part(text)) else part(text)
    (one,) = collectives(program)
    return BlockExecutions(program)[one.block]


def test_a_loop_runs_it_as_often_as_it_is_known_to():
    zero = "%zero = s32[] constant(0)"
    state = "%init = (s32[], f32[16,8]{1,0}) tuple(%zero, %param)"
    loop = "%while = (s32[], f32[16,8]{1,0}) while(%init), condition=%condition, body=%body"
    noted = ', backend_config={"known_trip_count":{"n":"7"}}'
    assert runs(module([zero, state, loop + noted], LOOP)) == Executions(7)
    assert runs(module([zero, state, loop], LOOP)) == Executions(5), "found from the loop itself"
    unknown = module(["%zero = s32[] custom-call()", state, loop], LOOP)
    assert runs(unknown) == Executions(1, known=False)


def test_a_loop_that_data_end_counts_once_in_each_iteration_of_another():
    """Whether the collective is in its body or in its condition."""
    inner = LOOP.replace("constant(5)", "custom-call()")
    in_condition = (
        inner.replace("%all-reduce = ", "%other = ")
        .replace("all-reduce(%x)", "negate(%x)")
        .replace(
            "  %n.1 =", "  %x.1 = f32[] all-reduce(%y), channel_id=1, replica_groups=[1,8]<=[8]\n  %n.1 ="
        )
    )
    outer = """
%outer (state.2: (s32[], f32[16,8])) -> (s32[], f32[16,8]) {
  %state.2 = (s32[], f32[16,8]{1,0}) parameter(0)
  ROOT %inner = (s32[], f32[16,8]{1,0}) while(%state.2), condition=%condition, body=%body
}
"""
    loop = "%loop = (s32[], f32[16,8]{1,0}) while(%init), condition=%more, body=%outer, "
    loop += 'backend_config={"known_trip_count":{"n":"7"}}'
    for blocks in (inner, in_condition):
        more = (
            blocks[blocks.index("%condition") :].replace("%condition", "%more").replace("all-reduce", "abs")
        )
        text = module(["%init = (s32[], f32[16,8]{1,0}) tuple(%zero, %param)", loop], blocks + outer + more)
        assert runs(text) == Executions(7, known=False)


def test_a_branch_counts_as_taken():
    block = LOOP.split("\n\n")[0].replace("%body", "%branch")
    entry = ["%c = (s32[], f32[16,8]{1,0}) conditional(%p, %a, %b), branch_computations={%branch, %other}"]
    assert runs(module(entry, block)) == Executions(1, in_branch=True)
