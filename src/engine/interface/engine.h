#pragma once

#include <cstddef>
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

/// One clip of a Renderer.
struct RenderTask {
  const CheckedRequest& request;
  const std::vector<CheckedRequest>& expected;  ///< the clips that follow
  std::function<std::string()> model_sha256;    ///< waits for the result of ModelDigest
};

/// Renders clips one after the other. Keeps models and embeddings that the next clip uses.
class RenderEngine {
 public:
  virtual ~RenderEngine() = default;
  virtual GenerateResult render(const RenderTask& task, const RunControl& control) = 0;
};

/// Turns requests and latents into clips. Error, Stopped.
struct RenderFunctions {
  std::unique_ptr<RenderEngine> (*make_renderer)();
  GenerateResult (*decode)(const DecodeTask& task, const RunControl& control);
};

/// Plans of requests that have passed check(). Error.
struct PlanFunctions {
  Plan (*clip)(const CheckedRequest& request);          ///< the plan without its outputs
  Plan (*run)(const CheckedRequest& request);           ///< the same; throws the errors of rendering
  Plan (*decode)(const DecodeTask& task);               ///< the same for decoding
  void (*check_inputs)(const CheckedRequest& request);  ///< as check_inputs()
};

/// Reads and compares clips and pictures, and makes pictures of clips. Error (kInput, kOutput).
struct ClipFunctions {
  std::string (*comment)(const std::filesystem::path& clip);    ///< of its container; "" without one
  int64_t (*count_frames)(const std::filesystem::path& clip);   ///< decodes every frame
  int64_t (*count_packets)(const std::filesystem::path& clip);  ///< reads every frame, decodes none
  Comparison (*compare)(const std::filesystem::path& a, const std::filesystem::path& b,
                        const RunControl& control);  ///< as compare()
  void (*write_sheet)(const std::vector<SheetClip>& clips, const std::filesystem::path& sheet,
                      bool overwrite);  ///< as write_sheet(), of a checked sheet
  void (*write_poster)(const std::filesystem::path& clip,
                       const std::filesystem::path& poster);  ///< as write_poster()
};

/// Writes a checkpoint in another form. The request has been checked. Error, Stopped.
struct ConvertFunctions {
  ConvertResult (*convert)(const Checkpoint& checkpoint, const ConvertRequest& request,
                           const RunControl& control);
  ConvertPlan (*plan)(const Checkpoint& checkpoint, const ConvertRequest& request);
};

/// Differences between the tensors of a part and the tensors of its network.
struct TensorDifferences {
  std::vector<std::string> missing;
  std::vector<std::string> unknown;    ///< the network has no tensor of this name
  std::vector<std::string> misshaped;  ///< "name [1, 2], expected [2, 1]"
};

/// Looks into a checkpoint.
struct InspectFunctions {
  /// Compares the tensors of a part with the tensors of its network. Error (kInput) for an impossible
  /// config.json.
  TensorDifferences (*compare)(const Checkpoint& checkpoint, const std::string& part);
};

/// One run of bench().
struct EngineBench {
  BenchRequest request;
  CheckedRequest named, bundled;  ///< clips of the model that is asked for and of the bundled one
  double start_seconds;           ///< time that loading the engine took
};

/// Times this machine. Error, Stopped.
struct BenchFunctions {
  BenchReport (*run)(const EngineBench& bench, const RunControl& control,
                     const std::function<void(const BenchResult&)>& on_result);
  BenchPlan (*plan)(const EngineBench& bench);
};

/// Examines the engine, the device and the encoders.
struct DoctorFunctions {
  /// Examines the "engine", the "device" (as Machine has it) or the "encoders". Error.
  Finding (*examine)(const std::string& name, const std::string& device);
  /// Whether the clip of the self-test shows green grass. Error (kInput).
  Finding (*examine_clip)(const std::filesystem::path& clip);
};

/// Every function of libt2v_engine.so. The engine exports this one table, and libt2v.so finds it by its name.
struct EngineEntryPoints {
  size_t size = sizeof(EngineEntryPoints);  ///< another size is an engine of another build
  RenderFunctions rendering;
  PlanFunctions planning;
  ClipFunctions clips;
  ConvertFunctions conversion;
  InspectFunctions inspection;
  BenchFunctions bench;
  DoctorFunctions doctor;
};

constexpr const char* kEngineLibrary = "libt2v_engine.so";
constexpr const char* kEngineSymbol = "t2v_engine_entry_points";
extern "C" const EngineEntryPoints& t2v_engine_entry_points();

}  // namespace t2v
