#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "families/latent_geometry.h"
#include "families/model_info.h"
#include "families/part_kind.h"

namespace t2v {

/// Where a value of a part's config.json may stand if no tensor tells it.
struct ConfigHints {
  Config beside;    ///< config.json beside the file, in diffusers' or the original style; {}: there is none
  Config replaced;  ///< config.json of the part that this one replaces; {}: it replaces none
};

/// A setting of the pipeline in model_index.json.
struct IndexKey {
  std::string name;
  bool in_metadata = false;  ///< no tensor tells its value: a file with the transformer has it as metadata
};

/// Settings with which a library prepares the inputs of a part. t2v reads none; diffusers wants them.
struct Preprocessor {
  std::string name;  ///< in model_index.json: "image_processor"
  std::string part;  ///< a model with this part has it
  std::string library;
  std::string class_name;
  std::string config;  ///< JSON of its preprocessor_config.json
};

/// Contents of the model_index.json of a family's models, beside their parts.
struct IndexFormat {
  std::vector<std::string> pipelines;  ///< pipeline classes of diffusers that it may name
  std::vector<IndexKey> keys = {};     ///< beside the pipeline's class; presets may ask for them
  std::vector<Preprocessor> preprocessors = {};
};

/// A part that a model lacks.
struct MissingPart {
  std::string name;
  bool needed = true;       ///< no clip can be made without it
  std::string advice = "";  ///< what the user can do; "": get the part from PartKind::where
};

/// An input beside the prompt.
enum class Condition { kImage, kEndImage, kControl, kReferenceImages };
enum class Use { kNone, kOptional, kRequired };

/// How a model uses conditions.
struct AcceptedConditions {
  std::string model;              ///< kind of the model, for messages: "an image-to-video model"
  std::map<Condition, Use> uses;  ///< kNone for a condition that is not here

  Use of(Condition condition) const {
    const auto found = uses.find(condition);
    return found == uses.end() ? Use::kNone : found->second;
  }
};

/// The name of a model.
struct ModelName {
  std::string series;      ///< its generation, as publishers call it; several for parts that they share
  std::string name;        ///< "T2V-1.3B", "T2V of width 96 with 6 blocks"; "" without a transformer
  std::string repository;  ///< of the published model; "" for a model of another size
};

/// A family of models: names of its parts and tensors in files, its configurations, and the inputs of its
/// models. A family knows names, shapes and configurations; its pipelines are in
/// engine/pipelines/registry.cpp.
class Family {
 public:
  virtual ~Family() = default;

  /// For messages, and for the registry of pipelines.
  virtual std::string name() const = 0;
  /// All parts that its models may have: the one that denoises, its twin if it has one, the VAE of the video,
  /// then the others.
  virtual const std::vector<PartKind>& parts() const = 0;
  virtual const IndexFormat& index_format() const = 0;

  // --- Files

  /// Restores the shape that diffusers has, for a tensor that some publishers flatten or squeeze.
  virtual void restore_shape(const std::string& /*tensor*/, std::vector<int64_t>& /*shape*/) const {}
  /// The part that the name of a file or folder tells, for parts with the same tensors; "" if it does not
  /// tell.
  virtual std::string part_called(const std::filesystem::path& /*path*/) const { return ""; }
  /// File of a part, below a folder without model_index.json, from whose name part_called() tells the part.
  virtual std::filesystem::path file_of(const std::string& part, const ModelInfo& /*model*/) const {
    return part + ".safetensors";
  }
  /// Derives the config.json that diffusers has for a part: sizes from shapes, other values from the hints,
  /// from the metadata of the file, or from the published models. Error (kInput) if a value is in none of
  /// them, or if a tensor is missing that tells a size.
  virtual Config derive_config(const std::string& part, const PartInfo& info,
                               const ConfigHints& hints) const = 0;
  /// Names of the tensors of a part in ComfyUI, by their names in diffusers.
  virtual std::map<std::string, std::string> comfy_names(const std::string& part, const PartInfo& info) const;

  // --- Models

  /// Reads Checkpoint::index from a model_index.json.
  virtual Config read_index(const Config& model_index) const = 0;
  /// Derives Checkpoint::index from the parts, if there is no model_index.json or if the transformer was
  /// replaced; `model.index` is {} or the index before.
  virtual Config derive_index(const ModelInfo& model) const = 0;
  /// scheduler_config.json of the published model that has this transformer.
  virtual Config published_scheduler(const PartInfo& transformer) const = 0;

  /// Whether a part that a key map recognised belongs to this family, and to the model of this transformer if
  /// it is not null.
  virtual bool fits(const std::string& /*part*/, const PartInfo& /*candidate*/,
                    const PartInfo* /*transformer*/) const {
    return true;
  }
  /// Error (kInput) for parts of different models, or of a model that t2v does not support.
  virtual void check_parts(const ModelInfo& /*model*/) const {}
  /// Decides whether a model needs a part that is absent; nothing if it does not.
  virtual std::optional<MissingPart> missing(const PartKind& part, const ModelInfo& model) const;
  virtual ModelName model_name(const ModelInfo& model) const = 0;
  /// Sees the index and the configurations alone.
  virtual AcceptedConditions conditions(const ModelInfo& model) const = 0;
  /// Models of the family that use a condition, for messages: "a VACE model"; "" if none does.
  virtual std::string models_for(Condition /*condition*/) const { return ""; }
  /// Sees configurations alone. The model has a VAE; without its denoiser, a token is one latent. Error
  /// (kInput) for configurations that contradict each other.
  virtual LatentGeometry geometry(const ModelInfo& model) const = 0;

  /// The transformer that a LoRA was made for, for messages. `widths`: inputs of each module, 0 if unknown.
  virtual std::string lora_made_for(const std::map<std::string, int64_t>& widths) const;
};

/// The entry of parts() for a name; nullptr if there is none.
const PartKind* find_part(const Family& family, std::string_view name);

/// The part that denoises: a transformer or a U-Net.
const PartKind& denoiser_of(const Family& family);
/// The twin of the denoiser, which computes some of the steps; nullptr if the family has none.
const PartKind* second_denoiser_of(const Family& family);
/// The part that turns latents into pixels.
const PartKind& vae_of(const Family& family);

}  // namespace t2v
