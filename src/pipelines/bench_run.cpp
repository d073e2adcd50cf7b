#include "pipelines/bench_run.h"

#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "autoencoders/autoencoder_kl_wan.h"
#include "core/device.h"
#include "core/hash.h"
#include "core/machine.h"
#include "pipelines/clip_plan.h"
#include "pipelines/memory_plan.h"
#include "pipelines/synthetic_model.h"
#include "pipelines/vae_memory.h"
#include "pipelines/video_pipeline.h"
#include "text_encoders/umt5_encoder.h"
#include "transformers/transformer_wan.h"

namespace t2v {
namespace {

using nlohmann::json;
using Kind = BenchKind;

constexpr int64_t kPromptRows = 512;
/// Of what is there a case may take so much.
constexpr double kShareOfMemory = 0.9;
/// A CPU runs all blocks of models of fewer bytes.
constexpr double kSmallModel = 1e9;

WanTransformer3DConfig transformer_of(const json& config) {
  return WanTransformer3DConfig::from_config(Config(config, "transformer"));
}

AutoencoderKLWanConfig vae_config_of(const std::string& model) {
  return AutoencoderKLWanConfig::from_config(Config(bench_config(model), "vae"));
}

LatentShape latents_of(const BenchSpec& spec) {
  return latent_shape(transformer_of(bench_config(spec.model)), vae_config_of(vae_of(spec.model)), spec.clip);
}

/// Equal for equal work, however much of it is run.
std::string fingerprint(const BenchSpec& spec, const BenchResult& result, const std::string& model) {
  return fnv1a_name(spec.name + "|" + describe(spec) + "|" + model + "|" + result.dtype + "|" +
                    std::to_string(result.tflop) + "|" + std::to_string(result.bytes));
}

/// Makes what was measured of one block what so many take.
void stand_for(int64_t layers, BenchResult& result) {
  if (layers == 1) return;
  result.note = "one block x " + std::to_string(layers);
  const auto times = static_cast<double>(layers);
  result.tflop *= times;
  for (double* seconds : {&result.median, &result.p10, &result.p90}) *seconds *= times;
  for (double& seconds : result.seconds) seconds *= times;
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

BenchRunner::BenchRunner(BenchSetting setting, Calibration& calibration, const RunControl& control)
    : setting_(std::move(setting)),
      calibration_(calibration),
      control_(control),
      timer_(setting_.placement.device, setting_.repeats, control) {
  const at::ScalarType dtype = setting_.placement.dtype;
  ceilings_.emplace_back(dtype_name(dtype), timer_.matrix_product(dtype));
  if (dtype != at::kFloat) ceilings_.emplace_back(dtype_name(at::kFloat), timer_.matrix_product(at::kFloat));
}

BenchResult BenchRunner::run(const BenchSpec& spec) {
  const c10::InferenceMode inference_mode;
  BenchResult result;
  result.name = spec.name;
  const bool wide = spec.kind == Kind::kVae;  // the VAE computes in float32 whatever the others do
  result.dtype = dtype_name(wide ? at::kFloat : setting_.placement.dtype);
  switch (spec.kind) {
    case Kind::kGemm:
      run_product(spec, result);
      break;
    case Kind::kAttention:
      run_attention(spec, result);
      break;
    case Kind::kBlock:
    case Kind::kTransformer:
      run_transformer(spec, result);
      break;
    case Kind::kVae:
      run_vae(spec, result);
      break;
    case Kind::kTextEncoder:
      run_text_encoder(spec, result);
      break;
    case Kind::kLoad:
      run_load(result);
      break;
    case Kind::kClip:
      run_clip(result);
      break;
  }
  for (const auto& [dtype, ceiling] : ceilings_) {
    if (dtype == result.dtype) result.share = result.tflops / ceiling;
  }
  result.fingerprint =
      fingerprint(spec, result, spec.model.empty() ? setting_.checkpoint.origin : spec.model);
  return result;
}

Tensor BenchRunner::random(at::IntArrayRef shape, at::ScalarType dtype) const {
  return at::empty(shape, at::device(setting_.placement.device).dtype(dtype)).normal_();
}

void BenchRunner::expect_memory(double bytes, const std::string& name) const {
  const uint64_t available = available_memory(setting_.placement.device);
  if (available == 0 || bytes < static_cast<double>(available)) return;
  throw Error(ErrorCode::kResource, {.doing = "the case " + name,
                                     .got = "work that needs " + in_gib(static_cast<uint64_t>(bytes)),
                                     .expected = "at most the " + in_gib(available) + " that are there",
                                     .advice = "leave it out, or try --dtype bfloat16"});
}

void BenchRunner::run_product(const BenchSpec& spec, BenchResult& result) const {
  const WanTransformer3DConfig config = transformer_of(bench_config(spec.model));
  result.tokens = latents_of(spec).tokens;
  const Tensor x = random({result.tokens, config.dim()}, setting_.placement.dtype);
  const Tensor weight = random({config.ffn_dim, config.dim()}, setting_.placement.dtype);
  result.tflop =
      2e-12 * static_cast<double>(result.tokens) * static_cast<double>(config.dim() * config.ffn_dim);
  timer_.time(result, [&] { fast_product(x, weight); });
}

void BenchRunner::run_attention(const BenchSpec& spec, BenchResult& result) const {
  const WanTransformer3DConfig config = transformer_of(bench_config(spec.model));
  result.tokens = latents_of(spec).tokens;
  // As the transformer has them: heads beside each other in each token.
  const auto heads = [&] {
    return random({1, result.tokens, config.num_attention_heads, config.attention_head_dim},
                  setting_.placement.dtype)
        .transpose(1, 2);
  };
  const Tensor query = heads(), key = heads(), value = heads();
  result.attention = attention_backend(query, key, value);
  const auto n = static_cast<double>(result.tokens);
  result.tflop = 4e-12 * n * n * static_cast<double>(config.dim());
  timer_.time(result, [&] { at::scaled_dot_product_attention(query, key, value); });
}

bool BenchRunner::takes_one_block(const BenchSpec& spec, const WanTransformer3DConfig& config) const {
  const at::Device device = setting_.placement.device;
  const auto element = static_cast<double>(at::elementSize(setting_.placement.dtype));
  const auto dim = static_cast<double>(config.dim()), layers = static_cast<double>(config.num_layers);
  const double block = element * dim * (8 * dim + 2 * static_cast<double>(config.ffn_dim));
  const auto work = static_cast<double>(
      activation_bytes(config, vae_config_of(vae_of(spec.model)), spec.clip, setting_.placement));
  const double others = element * dim * dim * 8;
  const bool fits =
      work + layers * block + others < kShareOfMemory * static_cast<double>(available_memory(device));
  const bool is_small = layers * block < kSmallModel;
  const bool one = spec.kind == Kind::kBlock || !fits || (device.is_cpu() && !is_small);
  expect_memory(work + (one ? 1 : layers) * block + others, spec.name);
  return one;
}

void BenchRunner::run_transformer(const BenchSpec& spec, BenchResult& result) {
  json config = bench_config(spec.model);
  const WanTransformer3DConfig whole = transformer_of(config);
  const LatentShape shape = latents_of(spec);
  result.tokens = shape.tokens;
  const bool one_block = takes_one_block(spec, whole);
  if (one_block) config["num_layers"] = 1;

  const Weights weights =
      Weights::open(synthetic_model("transformer", config),
                    {.placement = setting_.placement, .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32()});
  const WanTransformer3DModel model(weights, transformer_of(config),
                                    {.before_each = [this] { timer_.stop_if_asked(); }});
  const TextContext context =
      model.prepare(random({1, kPromptRows, whole.text_dim}, setting_.placement.dtype));
  const Tensor latents = random({1, whole.in_channels, shape.frames, shape.height, shape.width}, at::kFloat);
  const Tensor timestep = at::full({1}, 500.0, at::kFloat);
  const auto heads = [&] {
    return random({1, 64, whole.num_attention_heads, whole.attention_head_dim}, setting_.placement.dtype)
        .transpose(1, 2);
  };
  result.attention = attention_backend(heads(), heads(), heads());
  const int64_t layers = one_block ? whole.num_layers : 1;
  result.tflop = forward_flops(whole, shape.tokens).total() / 1e12 / static_cast<double>(layers);
  timer_.time(result, [&] { model.forward(latents, timestep, context); });
  calibration_.add({"sampling", result.dtype, static_cast<double>(whole.dim()),
                    static_cast<double>(shape.tokens), result.tflop * 1e12},
                   result.median);
  if (spec.kind == Kind::kTransformer) stand_for(layers, result);
}

void BenchRunner::run_vae(const BenchSpec& spec, BenchResult& result) {
  const AutoencoderKLWanConfig config = vae_config_of(spec.model);
  const at::Device device = setting_.placement.device;
  const auto cost = device.is_cpu() ? host_allocation() : gpu_allocation();
  expect_memory(decode_bytes(config, spec.clip, cost), spec.name);
  const Weights weights = Weights::open(synthetic_model("vae", bench_config(spec.model)),
                                        {.placement = {at::kFloat, device}, .keep_in_fp32 = {}});
  const AutoencoderKLWan vae(weights, config);
  const Tensor latents =
      random({1, config.z_dim, (spec.clip.num_frames - 1) / config.scale_factor_temporal + 1,
              spec.clip.height / config.scale_factor_spatial, spec.clip.width / config.scale_factor_spatial},
             at::kFloat);
  result.tflop = decode_flops(config, spec.clip) / 1e12;
  timer_.time(result, [&] { vae.decode(latents, [&](const Tensor&) { timer_.stop_if_asked(); }); });
  calibration_.add({"decoding", result.dtype, static_cast<double>(config.decoder_base_dim),
                    static_cast<double>(spec.clip.height * spec.clip.width), result.tflop * 1e12},
                   result.median);
}

void BenchRunner::run_text_encoder(const BenchSpec& spec, BenchResult& result) {
  json config = bench_config(spec.model);
  const UMT5Config whole = UMT5Config::from_config(Config(config, "text_encoder"));
  const int64_t tokens = spec.clip.num_frames;
  result.tokens = tokens;
  // Blocks come and go one by one: of 24 that are alike one is enough.
  config["num_layers"] = 1;
  const Weights weights = Weights::open(synthetic_model("text_encoder", config),
                                        {.placement = setting_.placement, .keep_in_fp32 = {}});
  const UMT5Encoder encoder(weights, UMT5Config::from_config(Config(config, "text_encoder")));
  const Tensor ids = at::randint(1, config["vocab_size"].get<int64_t>(), {tokens}, at::kLong);
  result.tflop = text_flops(whole, tokens) / 1e12 / static_cast<double>(whole.num_layers);
  timer_.time(result, [&] { encoder.forward({ids}); });
  stand_for(whole.num_layers, result);
  calibration_.add({"text", result.dtype, static_cast<double>(whole.d_model), static_cast<double>(tokens),
                    result.tflop * 1e12},
                   result.median);
}

void BenchRunner::run_load(BenchResult& result) const {
  const Component& transformer = setting_.checkpoint.get("transformer");
  for (const auto& [name, source] : transformer.tensors) {
    result.bytes += static_cast<int64_t>(source.stored.end - source.stored.begin);
  }
  const LoadOptions options{.placement = setting_.placement,
                            .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32()};
  expect_memory(static_cast<double>(loaded_bytes(transformer, options)), result.name);
  timer_.time(result, [&] {
    const Weights weights = Weights::open(transformer, options);
    // A mapped file is read when its numbers are.
    for (const auto& [name, source] : transformer.tensors) weights.tensor(name).sum();
  });
}

void BenchRunner::run_clip(BenchResult& result) {
  const Plan plan = plan_clip(setting_.checkpoint, setting_.clip, this_machine(setting_.placement.device));
  result.tokens = plan.tokens;
  for (const PlannedPhase& phase : plan.phases) result.tflop += phase.tflop;

  PhaseClock clock;
  const RunControl control{.on_event = [&clock](const Event& event) { clock.on_event(event); },
                           .stop = control_.stop};
  std::vector<std::map<std::string, double>> runs;
  timer_.time(result, [&] {
    clock.begin();
    ModelStore models;
    const auto pipeline =
        VideoPipeline::make({setting_.checkpoint, setting_.placement, setting_.clip, {}}, models, control);
    pipeline->decode(pipeline->sample(), [](const Frames&) {});
    runs.push_back(clock.take());
  });
  for (const PhaseWork& work : work_of(setting_.checkpoint, plan)) {
    if (!runs.front().contains(work.phase)) continue;
    // A process renders its first clip: that is what plans are about.
    calibration_.add(work, runs.front().at(work.phase));
    std::vector<double> seconds;
    for (auto& run : runs) seconds.push_back(run[work.phase]);
    seconds.erase(seconds.begin(), seconds.end() - static_cast<std::ptrdiff_t>(result.seconds.size()));
    result.phases.emplace_back(work.phase, quantile(seconds, 0.5));
  }
}

}  // namespace t2v
