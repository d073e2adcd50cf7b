#include "engine/interface/bench_cases.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "t2v/error.h"

namespace t2v {
namespace {

using nlohmann::json;
using Kind = BenchKind;

constexpr ClipShape k480p81{81, 480, 832}, k720p81{81, 720, 1280}, k704p121{121, 704, 1280};
constexpr ClipShape k64p17{17, 64, 64}, k256p17{17, 256, 256}, k64p5{5, 64, 64}, k32p5{5, 32, 32};

/// The work of several cases: its "gemm" is the case "gemm.1.3b.480p81".
struct Work {
  const char* model;
  const char* size;
  ClipShape clip;
  bool on_cpu;

  BenchSpec as(const char* prefix, Kind kind) const {
    return {std::string(prefix) + "." + model + "." + size, kind, model, clip, on_cpu};
  }
};

constexpr Work kBlocks[] = {{"1.3b", "480p81", k480p81, false}, {"14b", "480p81", k480p81, false},
                            {"14b", "720p81", k720p81, false},  {"5b", "704p121", k704p121, false},
                            {"1.3b", "256p17", k256p17, true},  {"14b", "64p17", k64p17, true}};
constexpr Work kTiny[] = {{"tiny", "64p17", k64p17, true}, {"tiny", "256p17", k256p17, true}};
constexpr Work kVaes[] = {{"2.1", "480p81", k480p81, false}, {"2.2", "704p121", k704p121, false},
                          {"2.1", "64p5", k64p5, true},      {"2.2", "32p5", k32p5, true},
                          {"tiny", "64p17", k64p17, true},   {"tiny", "256p17", k256p17, true}};
constexpr Work kClips[] = {{"1.3b", "480p81", k480p81, false},
                           {"14b", "480p81", k480p81, false},
                           {"5b", "704p121", k704p121, false},
                           {"tiny", "64p17", k64p17, true},
                           {"1.3b-2", "64p5", k64p5, true}};

/// In the order of the report: parts before wholes.
std::vector<BenchSpec> make_specs() {
  std::vector<BenchSpec> specs;
  for (const Work& work : kBlocks) {
    if (work.on_cpu && std::string(work.model) != "1.3b") continue;
    specs.push_back(work.as("gemm", Kind::kGemm));
    specs.push_back(work.as("attn", Kind::kAttention));
  }
  for (const Work& work : kBlocks) specs.push_back(work.as("block", Kind::kBlock));
  for (const Work& work : kBlocks) {
    if (!work.on_cpu) specs.push_back(work.as("dit", Kind::kTransformer));
  }
  for (const Work& work : kTiny) specs.push_back(work.as("dit", Kind::kTransformer));
  for (const Work& work : kVaes) {
    specs.push_back(work.as("vae", Kind::kVae));
    specs.back().model.insert(0, "vae.");
  }
  specs.push_back({"t5.512", Kind::kTextEncoder, "umt5-xxl", {512, 0, 0}, false});
  specs.push_back({"t5.64", Kind::kTextEncoder, "umt5-xxl", {64, 0, 0}, true});
  specs.push_back({"load.model", Kind::kLoad, "", {}, true});
  for (const char* model : {"1.3b", "14b", "5b"})
    specs.push_back({std::string("load.") + model, Kind::kLoad, model, {}, false});
  for (const char* model : {"tiny", "1.3b-2"})
    specs.push_back({std::string("load.") + model, Kind::kLoad, model, {}, true});
  specs.push_back({"e2e.model", Kind::kClip, "", {}, true});
  for (const Work& work : kClips) specs.push_back(work.as("e2e", Kind::kClip));
  return specs;
}

json transformer_config(int64_t heads, int64_t layers, int64_t ffn_dim, int64_t channels) {
  return {{"num_attention_heads", heads},
          {"num_layers", layers},
          {"ffn_dim", ffn_dim},
          {"in_channels", channels},
          {"out_channels", channels}};
}

/// "1.3b-2" -> "1.3b" and 2; 0 blocks for all.
std::pair<std::string, int64_t> split_blocks(const std::string& model) {
  const size_t dash = model.rfind('-');
  if (dash == std::string::npos || !std::isdigit(static_cast<unsigned char>(model.back()))) return {model, 0};
  return {model.substr(0, dash), std::stoll(model.substr(dash + 1))};
}

json whole_config(const std::string& model) {
  if (model == "1.3b") return transformer_config(12, 30, 8960, 16);
  if (model == "14b") return transformer_config(40, 40, 13824, 16);
  if (model == "5b") return transformer_config(24, 30, 14336, 48);
  if (model == "tiny") {
    json config = transformer_config(4, 6, 512, 16);
    config.update({{"attention_head_dim", 32}, {"text_dim", 128}});
    return config;
  }
  if (model == "vae.2.1") return json::object();
  if (model == "vae.tiny") return {{"base_dim", 16}, {"num_res_blocks", 1}};
  if (model == "vae.2.2") {
    return {{"base_dim", 160},
            {"decoder_base_dim", 256},
            {"z_dim", 48},
            {"is_residual", true},
            {"in_channels", 12},
            {"out_channels", 12},
            {"patch_size", 2},
            {"scale_factor_spatial", 16},
            {"latents_mean", std::vector<double>(48, 0)},
            {"latents_std", std::vector<double>(48, 1)}};
  }
  if (model == "t5.tiny") {
    return {{"vocab_size", 1024}, {"d_model", 128},  {"d_kv", 32},
            {"d_ff", 256},        {"num_layers", 2}, {"num_heads", 4}};
  }
  // A small embedding is enough, because a prompt reads few of its rows.
  return {{"vocab_size", 1024}, {"d_model", 4096},  {"d_kv", 64},
          {"d_ff", 10240},      {"num_layers", 24}, {"num_heads", 64}};
}

}  // namespace

const std::vector<BenchSpec>& bench_specs() {
  static const std::vector<BenchSpec> specs = make_specs();
  return specs;
}

void check_bench_words(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const BenchSpec& spec : bench_specs()) names.push_back(spec.name);
  for (const std::string& word : words) {
    if (std::any_of(names.begin(), names.end(),
                    [&](const std::string& name) { return name.starts_with(word); }))
      continue;
    const std::string meant = closest_match(word, names);
    throw Error(ErrorCode::kUsage,
                {.doing = "unknown case \"" + word + '"',
                 .advice = meant.empty() ? "t2v bench `list` shows them" : "did you mean " + meant + "?"});
  }
}

std::vector<BenchSpec> choose_bench_specs(const std::vector<std::string>& words, bool on_cpu) {
  check_bench_words(words);
  const auto is_for_device = [&](const BenchSpec& spec) {
    return spec.model.empty() || spec.on_cpu == on_cpu;  // a clip of the request runs on any device
  };
  const auto is_name = [](const std::string& word) {
    return std::any_of(bench_specs().begin(), bench_specs().end(),
                       [&](const BenchSpec& spec) { return spec.name == word; });
  };
  const auto takes = [&](const BenchSpec& spec, const std::string& word) {
    if (spec.name == word) return true;
    if (is_name(word) || !spec.name.starts_with(word)) return false;
    return is_for_device(spec) ||
           std::none_of(bench_specs().begin(), bench_specs().end(), [&](const BenchSpec& other) {
             return other.name.starts_with(word) && is_for_device(other);
           });
  };
  std::vector<BenchSpec> chosen;
  for (const BenchSpec& spec : bench_specs()) {
    if (words.empty() ? is_for_device(spec)
                      : std::any_of(words.begin(), words.end(),
                                    [&](const std::string& word) { return takes(spec, word); })) {
      chosen.push_back(spec);
    }
  }
  return chosen;
}

std::string describe(const BenchSpec& spec) {
  const auto [whole, blocks] = split_blocks(spec.model);
  const std::string model =
      blocks == 0 ? whole : whole + " with " + std::to_string(blocks) + (blocks == 1 ? " block" : " blocks");
  const auto size = [&] {
    return std::to_string(spec.clip.width) + "x" + std::to_string(spec.clip.height) + ", " +
           std::to_string(spec.clip.num_frames) + " frames";
  };
  switch (spec.kind) {
    case Kind::kGemm:
      return "the widest matrix product of " + model + ", " + size();
    case Kind::kAttention:
      return "the self-attention of " + model + ", " + size();
    case Kind::kBlock:
      return "a block of " + model + ", " + size();
    case Kind::kTransformer:
      return "a forward pass of " + model + ", " + size();
    case Kind::kVae:
      return "decoding with " + model + ", " + size();
    case Kind::kTextEncoder:
      return "encoding " + std::to_string(spec.clip.num_frames) + " tokens with " + model;
    case Kind::kLoad:
      return "loading the transformer of " + (model.empty() ? "`model`" : model) +
             " from the disk to the device";
    case Kind::kClip:
      return model.empty() ? "a whole clip of `model`, without writing it"
                           : "a whole clip of " + model + ", " + size() + ", " + std::to_string(kBenchSteps) +
                                 " steps without guidance, without writing it";
  }
  return "";
}

nlohmann::json bench_config(const std::string& model) {
  const auto [whole, blocks] = split_blocks(model);
  json config = whole_config(whole);
  if (blocks > 0) config["num_layers"] = blocks;
  return config;
}

std::string vae_of(const std::string& transformer) {
  const std::string whole = split_blocks(transformer).first;
  if (whole == "tiny") return "vae.tiny";
  return whole == "5b" ? "vae.2.2" : "vae.2.1";
}

std::string text_encoder_of(const std::string& transformer) {
  const auto [whole, blocks] = split_blocks(transformer);
  const std::string encoder = whole == "tiny" ? "t5.tiny" : "umt5-xxl";
  return blocks == 0 ? encoder : encoder + '-' + std::to_string(blocks);
}

}  // namespace t2v
