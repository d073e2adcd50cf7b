#include "engine/conversion/convert_checkpoint.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/machine.h"
#include "core/staged_file.h"
#include "engine/conversion/convert_tensors.h"
#include "engine/pipelines/registry.h"
#include "tensors/quantization/matrix.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Metadata = std::map<std::string, std::string>;

constexpr uint64_t kLargestShard = 5'000'000'000;     // as on the Hugging Face Hub
constexpr int64_t kLargestTokenizerFile = 256 << 20;  // in bytes; published ones have 17 million
constexpr const char* kDiffusersVersion = "0.35.0";   // the first version that writes all of these files

/// Whether t2v and diffusers compute with this tensor in float32 while other tensors have a lower dtype.
bool stays_float32(const Checkpoint& checkpoint, const std::string& part, const std::string& name) {
  const std::string dotted = "." + name + ".";
  const auto kept = pipelines_of(checkpoint).keep_in_fp32(find_part(*checkpoint.family, part)->network());
  return std::any_of(kept.begin(), kept.end(), [&](const std::string& piece) {
    return dotted.find("." + piece + ".") != std::string::npos;
  });
}

/// ComfyUI's name for the scale of a weight.
std::string scale_name(const std::string& weight) {
  return weight.substr(0, weight.rfind('.')) + ".scale_weight";
}

/// Whether the checkpoint has every part that all models of the family have.
bool is_whole(const Checkpoint& checkpoint) {
  const std::vector<PartKind>& parts = checkpoint.family->parts();
  return std::all_of(parts.begin(), parts.end(),
                     [&](const PartKind& part) { return !part.required || checkpoint.has(part.name); });
}

const PartKind& kind_of(const Checkpoint& checkpoint, const std::string& part) {
  return *find_part(*checkpoint.family, part);
}

/// config.json of a part, with the keys that tell its library the class.
Json config_json(const PartKind& kind, const Component& component) {
  Json config = Json::parse(component.config.json().dump());
  const auto set = [&](const char* key, const Json& value) {
    if (!config.contains(key)) config[key] = value;
  };
  if (kind.library == "diffusers") {
    set("_class_name", kind.classes.front());
  } else {
    set("architectures", Json::array({kind.classes.front()}));
    set("model_type", kind.model_type);
  }
  return config;
}

std::vector<const Preprocessor*> preprocessors_of(const Checkpoint& checkpoint) {
  std::vector<const Preprocessor*> preprocessors;
  for (const Preprocessor& preprocessor : checkpoint.family->index_format().preprocessors) {
    if (checkpoint.has(preprocessor.part)) preprocessors.push_back(&preprocessor);
  }
  return preprocessors;
}

Json index_json(const Checkpoint& checkpoint) {
  const auto pair = [](const std::string& library, const std::string& name) {
    return Json::array({library, name});
  };
  Json index = {{"_class_name", checkpoint.pipeline()}, {"_diffusers_version", kDiffusersVersion}};
  for (const IndexKey& key : checkpoint.family->index_format().keys) {
    index[key.name] = checkpoint.index.json().value(key.name, nlohmann::json());
  }
  index["scheduler"] = pair("diffusers", checkpoint.scheduler.text("_class_name", "UniPCMultistepScheduler"));
  for (const auto& [name, source] : checkpoint.tokenizers) {
    const PartKind& kind = kind_of(checkpoint, name);
    index[name] = pair(kind.library, kind.classes.front());
  }
  for (const auto& [name, component] : checkpoint.components) {
    const PartKind& kind = kind_of(checkpoint, name);
    index[name] = pair(kind.library, component.config.text("_class_name", kind.classes.front()));
  }
  for (const Preprocessor* preprocessor : preprocessors_of(checkpoint))
    index[preprocessor->name] = pair(preprocessor->library, preprocessor->class_name);
  for (const PartKind& part : checkpoint.family->parts()) {
    if (!part.twin.empty() && !checkpoint.has(part.name)) index[part.name] = Json::array({nullptr, nullptr});
  }
  return index;
}

/// The SentencePiece model of the tokenizer, which ComfyUI reads from the file of this part; "" if there is
/// none.
std::string sentencepiece_model(const Checkpoint& checkpoint, const PartKind& kind) {
  const auto found = checkpoint.tokenizers.find(kind.tokenizer);
  if (found == checkpoint.tokenizers.end()) return "";
  const TokenizerSource& tokenizer = found->second;
  std::error_code ignored;
  const fs::path file = tokenizer.path / "spiece.model";
  if (!tokenizer.spiece_model.empty() || !fs::exists(file, ignored)) return tokenizer.spiece_model;
  return read_file(file, kLargestTokenizerFile);
}

class Conversion {
 public:
  Conversion(const Checkpoint& checkpoint, const ConvertRequest& request, const RunControl& control)
      : checkpoint_(checkpoint), request_(request), control_(control) {
    for (const auto& [name, component] : checkpoint.components) {
      total_ += static_cast<int64_t>(component.tensors.size());
    }
  }

  ConvertPlan plan() {
    writes_ = false;
    const bool file = request_.output.extension() == ".safetensors";
    file ? write_only_component() : write_all(request_.output);
    return {.files = files_, .bytes = total_bytes(), .disk_free = 0};
  }

  ConvertResult run() {
    if (request_.output.extension() == ".safetensors") {
      write_only_component();
      return result(request_.output.parent_path());
    }
    const StagedFolder staged(request_.output.has_parent_path() ? request_.output.parent_path() : ".");
    write_all(staged.path());
    sync_folder(staged.path());
    if (const int error = rename_without_replacing(staged.path(), request_.output); error != 0) {
      throw error == EEXIST ? exists_error(request_.output) : output_error(request_.output, error);
    }
    return result(staged.path());
  }

 private:
  /// The result for files that were written below `folder`, the present place of the output.
  ConvertResult result(const fs::path& folder) const {
    ConvertResult result;
    const bool moved = request_.output.extension() != ".safetensors";
    for (const ConvertPlan::File& file : files_) {
      if (file.tensors == 0) continue;
      result.files.push_back(moved ? request_.output / file.path.lexically_relative(folder) : file.path);
      result.bytes += file.bytes;
    }
    return result;
  }

  int64_t total_bytes() const {
    int64_t bytes = 0;
    for (const ConvertPlan::File& file : files_) bytes += file.bytes;
    return bytes;
  }

  void write_only_component() {
    const auto& [name, component] = *checkpoint_.components.begin();
    write_whole(request_.output, name, component);
  }

  void write_all(const fs::path& folder) {
    request_.layout == "diffusers" ? write_diffusers(folder) : write_files(folder);
  }

  void make_folder(const fs::path& folder) const {
    if (!writes_) return;
    std::error_code error;
    fs::create_directory(folder, error);
    if (error) throw output_error(folder, error.value());
  }

  void write_text(const fs::path& file, std::string_view text) {
    files_.push_back({file, 0, static_cast<int64_t>(text.size())});
    if (!writes_) return;
    StagedFile staged(file);
    staged.write(text);
    staged.sync();
    staged.publish(/*overwrite=*/false);
  }

  void write_json(const fs::path& file, const Json& json) {
    write_text(file, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }

  void write_tokenizer(const TokenizerSource& tokenizer, const fs::path& folder) {
    make_folder(folder);
    if (!tokenizer.spiece_model.empty()) return write_text(folder / "spiece.model", tokenizer.spiece_model);
    const auto copy = [&](const fs::path& file) {
      write_text(folder / file.filename(), read_file(file, kLargestTokenizerFile));
    };
    std::error_code ignored;
    if (!fs::is_directory(tokenizer.path, ignored)) return copy(tokenizer.path);
    for (const char* name :
         {"spiece.model", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}) {
      if (fs::exists(tokenizer.path / name, ignored)) copy(tokenizer.path / name);
    }
  }

  at::ScalarType dtype_for(const std::string& component, const std::string& name,
                           const TensorSource& source) const {
    const at::ScalarType exact = exact_dtype(source);
    const bool alone = checkpoint_.components.size() == 1;
    const bool is_vae = component == vae_of(*checkpoint_.family).name;
    if (request_.dtype.empty() || !at::isFloatingType(exact) || (is_vae && !alone)) return exact;
    if (request_.dtype == "float32" || stays_float32(checkpoint_, component, name)) return at::kFloat;
    if (request_.dtype == "float16") return at::kHalf;
    const bool fp8 = request_.dtype == "fp8" && is_block_matrix(name, source.stored);
    return fp8 ? at::kFloat8_e4m3fn : at::kBFloat16;
  }

  /// The converted tensors of a component.
  std::vector<ConvertedTensor> converted(const std::string& name, const Component& component) const {
    const bool comfy = request_.layout == "comfy";
    const auto names = comfy ? checkpoint_.family->comfy_names(name, component.info())
                             : std::map<std::string, std::string>{};
    std::vector<ConvertedTensor> tensors;
    for (const auto& [tensor, source] : component.tensors) {
      const std::string& new_name = comfy ? names.at(tensor) : tensor;
      const at::ScalarType dtype = dtype_for(name, tensor, source);
      ConvertedTensor& added = tensors.emplace_back(ConvertedTensor{new_name, dtype, source});
      if (dtype != at::kFloat8_e4m3fn || exact_dtype(source) == dtype) continue;
      stop_if_asked();
      const float scale = writes_ ? fp8_scale(source) : 1.0F;  // reads all values
      added.divisor = scale;
      tensors.push_back(new_tensor(scale_name(new_name), at::tensor(scale)));
    }
    if (const std::string model = sentencepiece_model(checkpoint_, kind_of(checkpoint_, name));
        comfy && !model.empty()) {
      tensors.push_back(new_tensor(
          "spiece_model",
          at::from_blob(const_cast<char*>(model.data()), {static_cast<int64_t>(model.size())}, at::kByte)
              .clone()));
    }
    return tensors;
  }

  void write(const fs::path& file, const std::vector<ConvertedTensor>& tensors, const Metadata& metadata) {
    int64_t bytes = 0;
    for (const ConvertedTensor& tensor : tensors) bytes += static_cast<int64_t>(tensor.bytes());
    files_.push_back({file, static_cast<int64_t>(tensors.size()), bytes});
    if (!writes_) return;
    write_converted(file, tensors, metadata, [&] {
      stop_if_asked();
      if (control_.on_event) {
        control_.on_event(
            {.kind = Event::Kind::kWrite, .done = done_, .total = total_, .detail = file.filename()});
      }
      done_ = std::min(done_ + 1, total_);
    });
  }

  /// Writes a component as one file, with its configuration in the metadata. The file of the denoiser also
  /// has scheduler_config.json, and the keys of model_index.json that tensors do not show.
  void write_whole(const fs::path& file, const std::string& name, const Component& component) {
    const auto text = [](const Json& json) {
      return json.dump(-1, ' ', true, Json::error_handler_t::replace);
    };
    Metadata metadata = {{"format", "pt"},
                         {"config", text(config_json(kind_of(checkpoint_, name), component))}};
    if (name == denoiser_of(*checkpoint_.family).name) {
      metadata.emplace(kSchedulerMetadata, text(Json::parse(checkpoint_.scheduler.json().dump())));
      for (const IndexKey& key : checkpoint_.family->index_format().keys) {
        if (!key.in_metadata || !checkpoint_.index.has(key.name)) continue;
        metadata.emplace(key.name, text(Json::parse(checkpoint_.index.json().at(key.name).dump())));
      }
    }
    write(file, converted(name, component), metadata);
  }

  void write_files(const fs::path& folder) {
    const ModelInfo model = checkpoint_.info();
    for (const auto& [name, component] : checkpoint_.components) {
      const fs::path file = folder / checkpoint_.family->file_of(name, model);
      if (file.parent_path() != folder) make_folder(file.parent_path());
      write_whole(file, name, component);
    }
    for (const auto& [tokenizer, source] : checkpoint_.tokenizers) {
      const auto is_inside = [&, name = tokenizer](const auto& part) {
        const PartKind& kind = kind_of(checkpoint_, part.first);
        return kind.tokenizer == name && !sentencepiece_model(checkpoint_, kind).empty();
      };
      const auto& components = checkpoint_.components;
      if (std::none_of(components.begin(), components.end(), is_inside))
        write_tokenizer(source, folder / tokenizer);
    }
  }

  void write_diffusers(const fs::path& folder) {
    for (const auto& [name, component] : checkpoint_.components) {
      make_folder(folder / name);
      const PartKind& kind = kind_of(checkpoint_, name);
      write_json(folder / name / "config.json", config_json(kind, component));
      write_shards(folder / name, kind.weights, converted(name, component));
    }
    for (const auto& [name, source] : checkpoint_.tokenizers) write_tokenizer(source, folder / name);
    if (!is_whole(checkpoint_)) return;
    make_folder(folder / "scheduler");
    write_json(folder / "scheduler" / "scheduler_config.json",
               Json::parse(checkpoint_.scheduler.json().dump()));
    for (const Preprocessor* preprocessor : preprocessors_of(checkpoint_)) {
      make_folder(folder / preprocessor->name);
      write_json(folder / preprocessor->name / "preprocessor_config.json", Json::parse(preprocessor->config));
    }
    write_json(folder / "model_index.json", index_json(checkpoint_));
  }

  void write_shards(const fs::path& folder, const std::string& base,
                    const std::vector<ConvertedTensor>& tensors) {
    const auto shards = in_shards(tensors, kLargestShard);
    const Metadata metadata = {{"format", "pt"}};
    if (shards.size() == 1) return write(folder / (base + ".safetensors"), tensors, metadata);
    Json shard_of = Json::object();
    uint64_t total = 0;
    for (size_t i = 0; i < shards.size(); ++i) {
      char number[48];
      std::snprintf(number, sizeof number, "-%05zu-of-%05zu", i + 1, shards.size());
      const std::string file = base + number + ".safetensors";
      write(folder / file, shards[i], metadata);
      for (const ConvertedTensor& tensor : shards[i]) {
        shard_of[tensor.name] = file;
        total += tensor.bytes();
      }
    }
    write_json(folder / (base + ".safetensors.index.json"),
               {{"metadata", {{"total_size", total}}}, {"weight_map", shard_of}});
  }

  void stop_if_asked() const {
    if (control_.stop != nullptr && *control_.stop) throw Stopped{};
  }

  const Checkpoint& checkpoint_;
  const ConvertRequest& request_;
  const RunControl& control_;
  bool writes_ = true;  ///< false: only plans the files
  std::vector<ConvertPlan::File> files_;
  int64_t done_ = 0, total_ = 0;  ///< tensors
};

}  // namespace

ConvertPlan plan_conversion(const Checkpoint& checkpoint, const ConvertRequest& request) {
  const c10::InferenceMode inference_mode;
  ConvertPlan plan = Conversion(checkpoint, request, {}).plan();
  std::error_code error;
  const fs::path folder = request.output.has_parent_path() ? request.output.parent_path() : ".";
  const fs::space_info space = fs::space(folder, error);
  plan.disk_free = error ? 0 : static_cast<int64_t>(space.available);
  if (plan.disk_free == 0 || plan.bytes <= plan.disk_free) return plan;
  const auto shown = [](int64_t bytes) { return in_gib(static_cast<uint64_t>(bytes)); };
  throw Error(ErrorCode::kOutput, {.doing = "writing " + request.output.string(),
                                   .got = shown(plan.disk_free) + " of free space",
                                   .expected = "room for " + shown(plan.bytes),
                                   .advice = "free some room, or choose another disk or `dtype`"});
}

ConvertResult convert_checkpoint(const Checkpoint& checkpoint, const ConvertRequest& request,
                                 const RunControl& control) {
  plan_conversion(checkpoint, request);  // throws for a full disk before anything is written
  const c10::InferenceMode inference_mode;
  return Conversion(checkpoint, request, control).run();
}

}  // namespace t2v
