#include "api/model_folder.h"

#include <dlfcn.h>

#include <nlohmann/json.hpp>

#include "t2v/error.h"
#include "t2v/generate.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// No VAE compresses and no transformer patches by more in one direction.
constexpr int64_t kLargestFactor = 64;

[[noreturn]] void unsupported(const std::string& index, const std::string& got, const std::string& expected) {
  throw Error(ErrorCode::kInput, {.doing = "reading " + index, .got = got, .expected = expected});
}

/// [library, class] of a component in model_index.json; "" for one that is absent or [null, null].
std::string component_class(const Config& index, const std::string& name) {
  if (!index.has(name)) return "";
  const nlohmann::json& entry = index.json().at(name);
  if (!entry.is_array() || entry.size() != 2) index.fail(name, "[library, class]");
  return entry[1].is_string() ? entry[1].get<std::string>() : "";
}

void check_model_index(const Config& index) {
  const std::string pipeline = index.text("_class_name", "");
  if (pipeline != "WanPipeline")
    unsupported(index.origin(), "the pipeline '" + pipeline + "'", "WanPipeline");
  const std::pair<const char*, const char*> expected[] = {{"text_encoder", "UMT5EncoderModel"},
                                                          {"transformer", "WanTransformer3DModel"},
                                                          {"vae", "AutoencoderKLWan"}};
  for (const auto& [component, class_name] : expected) {
    const std::string got = component_class(index, component);
    if (got != class_name) unsupported(index.origin(), std::string(component) + " '" + got + "'", class_name);
  }
  if (!component_class(index, "transformer_2").empty() || index.has("boundary_ratio")) {
    unsupported(index.origin(), "a second transformer",
                "one: checkpoints with two experts cannot be rendered yet");
  }
  if (index.boolean("expand_timesteps", false)) {
    unsupported(index.origin(), "expand_timesteps", "a Wan2.1 checkpoint: this one cannot be rendered yet");
  }
}

}  // namespace

ModelFolder ModelFolder::open(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw Error(ErrorCode::kInput, {.doing = "--model " + folder.string(),
                                    .got = fs::exists(folder, ignored) ? "a file" : "no such folder",
                                    .expected = "a checkpoint folder in the diffusers layout",
                                    .advice = "check the path"});
  }
  const fs::path index = folder / "model_index.json";
  if (!fs::exists(index, ignored)) {
    throw Error(ErrorCode::kInput, {.doing = "--model " + folder.string(),
                                    .got = "a folder without model_index.json",
                                    .expected = "a checkpoint folder in the diffusers layout",
                                    .advice = "download the '-Diffusers' variant of the checkpoint"});
  }
  check_model_index(Config::read(index));
  ModelFolder model{folder, Config::read(folder / "scheduler" / "scheduler_config.json"),
                    Config::read(folder / "transformer" / "config.json"),
                    Config::read(folder / "vae" / "config.json")};
  const int64_t latent_channels = model.vae.integer("z_dim", 16);
  if (model.transformer.integer("in_channels", 16) != latent_channels) {
    model.transformer.fail("in_channels",
                           std::to_string(latent_channels) + ", the z_dim of the VAE beside it");
  }
  return model;
}

int64_t ModelFolder::spatial_multiple() const {
  const std::vector<int64_t> patch_size = transformer.integers("patch_size", {1, 2, 2});
  if (patch_size.size() != 3 || patch_size[1] != patch_size[2] || patch_size[1] < 1 ||
      patch_size[1] > kLargestFactor) {
    transformer.fail("patch_size", "[frames, side, side]");
  }
  return vae.integer("scale_factor_spatial", 8, 1, kLargestFactor) * patch_size[1];
}

int64_t ModelFolder::temporal_multiple() const {
  return vae.integer("scale_factor_temporal", 4, 1, kLargestFactor);
}

fs::path data_folder() {
  // This library is PREFIX/lib/t2v/libt2v.so, in an installation and in the build tree alike.
  Dl_info info{};
  ::dladdr(reinterpret_cast<const void*>(&version), &info);
  const fs::path library = fs::canonical(info.dli_fname);
  return library.parent_path().parent_path().parent_path() / "share" / "t2v";
}

fs::path bundled_model() { return data_folder() / "models" / "tiny-world"; }

}  // namespace t2v
