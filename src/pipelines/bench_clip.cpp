#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "pipelines/bench_run.h"
#include "pipelines/clip_plan.h"
#include "pipelines/video_pipeline.h"
#include "transformers/transformer_wan.h"

namespace t2v {
namespace {

int64_t stored_bytes(const Component& component) {
  int64_t bytes = 0;
  for (const auto& [name, source] : component.tensors)
    bytes += static_cast<int64_t>(source.stored.end - source.stored.begin);
  return bytes;
}

/// Whether all files of a component were dropped from memory.
bool drop_files(const Component& component) {
  bool dropped = true;
  for (const auto& file : component.files)
    dropped = drop_from_memory(file->path(), std::as_bytes(std::span(file->content()))) && dropped;
  return dropped;
}

/// Books the time between events on the phases of a plan.
class PhaseClock {
 public:
  void begin() {
    spent_.clear();
    last_ = now();
  }
  void on_event(const Event& event) {
    const double time = now();
    spent_[name_of(event.done > 0 ? event.kind : current_)] += time - last_;
    current_ = event.kind;
    last_ = time;
  }
  /// Seconds of each phase since begin().
  std::map<std::string, double> take() { return std::exchange(spent_, {}); }

 private:
  static double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  static std::string name_of(Event::Kind kind) {
    if (kind == Event::Kind::kEncodeText) return "text";
    if (kind == Event::Kind::kStep) return "sampling";
    return kind == Event::Kind::kDecode ? "decoding" : "load";
  }

  std::map<std::string, double> spent_;
  Event::Kind current_ = Event::Kind::kLoad;
  double last_ = now();
};

}  // namespace

void BenchRunner::run_load(const BenchSpec& spec, const BenchOutlook& outlook, BenchResult& result) const {
  std::optional<SyntheticFile> file;
  nlohmann::json config = spec.model.empty() ? nlohmann::json() : bench_config(spec.model);
  const uint64_t whole = spec.model.empty() ? 0 : synthetic_bytes("transformer", config);
  if (outlook.blocks > 0) config["num_layers"] = outlook.blocks;
  if (!spec.model.empty()) file.emplace("transformer", config, bench_folder());
  const Component& transformer = file ? file->model() : setting_.named.checkpoint.get("transformer");
  result.bytes = stored_bytes(transformer);

  bool from_disk = true;
  timer_.time(
      result,
      [&] {
        const Weights weights = Weights::open(
            transformer,
            {.placement = setting_.placement, .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32()});
        std::vector<Tensor> loaded;
        for (const auto& [name, source] : transformer.tensors) {
          timer_.stop_if_asked();
          loaded.push_back(weights.tensor(name));
          loaded.back().sum();  // a mapped file is read when its numbers are
        }
      },
      [&] { from_disk = drop_files(transformer) && from_disk; });
  if (!from_disk) result.note += std::string(result.note.empty() ? "" : "; ") + "the files stayed in memory";
  if (outlook.blocks > 0) stand_for(static_cast<double>(whole) / static_cast<double>(result.bytes), result);
  if (file) result.bytes = static_cast<int64_t>(whole);
}

void BenchRunner::run_clip(const BenchSpec& spec, BenchResult& result) {
  const BenchClip clip = bench_clip(spec, setting_, SyntheticValues::kRandom);
  const Plan plan = plan_as_asked(clip.checkpoint, clip.request, this_machine(setting_.placement.device));
  for (const PlannedPhase& phase : plan.phases) result.tflop += phase.tflop;

  PhaseClock clock;
  const RunControl control{.on_event = [&clock](const Event& event) { clock.on_event(event); },
                           .stop = control_.stop};
  std::vector<std::map<std::string, double>> runs;
  timer_.time(result, [&] {
    clock.begin();
    ModelStore models;
    const auto pipeline =
        VideoPipeline::make({clip.checkpoint, setting_.placement, clip.request, {}}, models, control);
    pipeline->decode(pipeline->sample(), [](const Frames&) {});
    runs.push_back(clock.take());
  });
  for (const PhaseWork& work : work_of(clip.checkpoint, plan)) {
    if (!runs.front().contains(work.phase)) continue;
    // A process renders its first clip: that is what plans are about. Weights that live in memory are not
    // loaded as those of files are.
    const bool as_planned = spec.model.empty() || work.phase != "load";
    if (as_planned) calibration_.add(work, runs.front().at(work.phase));
    std::vector<double> seconds;
    for (auto& run : runs) seconds.push_back(run[work.phase]);
    seconds.erase(seconds.begin(), seconds.end() - static_cast<std::ptrdiff_t>(result.seconds.size()));
    result.phases.emplace_back(work.phase, quantile(seconds, 0.5));
  }
}

}  // namespace t2v
