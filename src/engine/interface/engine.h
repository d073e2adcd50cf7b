#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/interface/decode_task.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/bench.h"
#include "t2v/compare.h"
#include "t2v/convert.h"
#include "t2v/doctor.h"
#include "t2v/generate.h"
#include "t2v/plan.h"
#include "t2v/sheet.h"

namespace t2v {

// What libt2v_engine.so exports. libt2v.so finds each by its name.
constexpr const char* kEngineLibrary = "libt2v_engine.so";

/// One clip of a Renderer.
struct RenderTask {
  const CheckedRequest& request;
  const std::vector<CheckedRequest>& expected;  ///< the clips that follow
  std::function<std::string()> model_sha256;    ///< waits until it is known; ModelDigest
};

/// What a Renderer has in the engine.
class RenderEngine {
 public:
  virtual ~RenderEngine() = default;
  virtual GenerateResult render(const RenderTask& task, const RunControl& control) = 0;
};
extern "C" void t2v_engine_make_renderer(std::unique_ptr<RenderEngine>& renderer);
constexpr const char* kEngineMakeRenderer = "t2v_engine_make_renderer";

extern "C" void t2v_engine_decode(const DecodeTask& task, const RunControl& control, GenerateResult& result);
constexpr const char* kEngineDecode = "t2v_engine_decode";

/// Writes a checkpoint as a request that was checked says.
extern "C" void t2v_engine_convert(const Checkpoint& checkpoint, const ConvertRequest& request,
                                   const RunControl& control, ConvertResult& result);
constexpr const char* kEngineConvert = "t2v_engine_convert";

/// As plan_convert(), likewise.
extern "C" void t2v_engine_plan_convert(const Checkpoint& checkpoint, const ConvertRequest& request,
                                        ConvertPlan& plan);
constexpr const char* kEnginePlanConvert = "t2v_engine_plan_convert";

/// The comment of a clip's container, "" if there is none. Error (kInput).
extern "C" void t2v_engine_clip_comment(const std::filesystem::path& clip, std::string& comment);
constexpr const char* kEngineClipComment = "t2v_engine_clip_comment";

/// How many frames there are in a clip or a picture, every one of them read. Error (kInput).
extern "C" void t2v_engine_count_frames(const std::filesystem::path& clip, int64_t& count);
constexpr const char* kEngineCountFrames = "t2v_engine_count_frames";
/// The same of a video file, whose frames are there to their last byte but not decoded.
extern "C" void t2v_engine_count_packets(const std::filesystem::path& clip, int64_t& count);
constexpr const char* kEngineCountPackets = "t2v_engine_count_packets";

/// As compare().
extern "C" void t2v_engine_compare(const std::filesystem::path& a, const std::filesystem::path& b,
                                   const RunControl& control, Comparison& comparison);
constexpr const char* kEngineCompare = "t2v_engine_compare";

/// As write_sheet(), of a sheet that was checked.
extern "C" void t2v_engine_write_sheet(const std::vector<SheetClip>& clips,
                                       const std::filesystem::path& sheet, bool overwrite);
constexpr const char* kEngineWriteSheet = "t2v_engine_write_sheet";

/// As write_poster().
extern "C" void t2v_engine_write_poster(const std::filesystem::path& clip,
                                        const std::filesystem::path& poster);
constexpr const char* kEngineWritePoster = "t2v_engine_write_poster";

/// The plan of a clip without its outputs.
extern "C" void t2v_engine_plan(const CheckedRequest& request, Plan& plan);
constexpr const char* kEnginePlan = "t2v_engine_plan";
/// The same, refusing what rendering would refuse.
extern "C" void t2v_engine_plan_run(const CheckedRequest& request, Plan& plan);
constexpr const char* kEnginePlanRun = "t2v_engine_plan_run";
/// The same of decoding.
extern "C" void t2v_engine_plan_decode(const DecodeTask& task, Plan& plan);
constexpr const char* kEnginePlanDecode = "t2v_engine_plan_decode";
/// As check_inputs().
extern "C" void t2v_engine_check_inputs(const CheckedRequest& request);
constexpr const char* kEngineCheckInputs = "t2v_engine_check_inputs";

/// What bench() asks for.
struct EngineBench {
  BenchRequest request;
  CheckedRequest named, bundled;  ///< clips of the model that is asked for and of the bundled one
  double start_seconds;           ///< time that loading the engine took
};
extern "C" void t2v_engine_bench(const EngineBench& bench, const RunControl& control,
                                 const std::function<void(const BenchResult&)>& on_result,
                                 BenchReport& report);
constexpr const char* kEngineBench = "t2v_engine_bench";
/// As plan_bench().
extern "C" void t2v_engine_plan_bench(const EngineBench& bench, BenchPlan& plan);
constexpr const char* kEnginePlanBench = "t2v_engine_plan_bench";

/// Looks at "engine", "device" (as --device takes it) or "encoders", as finding.name says. Error.
extern "C" void t2v_engine_examine(const std::string& device, Finding& finding);
constexpr const char* kEngineExamine = "t2v_engine_examine";

/// Whether a clip shows what the self-test asks for. Error (kInput).
extern "C" void t2v_engine_examine_clip(const std::filesystem::path& clip, Finding& finding);
constexpr const char* kEngineExamineClip = "t2v_engine_examine_clip";

}  // namespace t2v
