#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <typeindex>
#include <vector>

#include "t2v/run.h"
#include "tensors/tensor.h"

namespace t2v {

/// Models and prompts that the next clips share with the present clip.
struct ComingClips {
  bool same_models = false;               ///< a coming clip uses the same models in the same way
  std::vector<std::string> prompts = {};  ///< prompts for the same text encoder, in the order of the clips
};

/// Loaded models and encoded prompts, for one clip after another. A model that no coming clip uses is not
/// kept: it lives as long as the present clip holds it.
class ModelStore {
 public:
  /// Begins a clip. `control` has to stay valid until the next one begins.
  void begin(const RunControl& control, ComingClips coming);

  /// The model of a name: the kept one if it has this key, or the result of `load`. A kept model of the same
  /// name with another key is dropped first.
  template <typename Model>
  std::shared_ptr<const Model> get(const std::string& name, const std::string& key,
                                   const std::function<std::shared_ptr<const Model>()>& load) {
    const std::type_index type = typeid(Model);
    std::shared_ptr<const void> kept = take(name, {type, key});
    if (!kept) kept = load();
    if (coming_.same_models) models_.insert_or_assign(name, Kept{{type, key}, kept});
    return std::static_pointer_cast<const Model>(kept);
  }
  bool has(const std::string& name) const { return models_.contains(name); }
  bool has_models() const { return !models_.empty(); }
  /// Forgets all models, not the prompts.
  void drop_models() { models_.clear(); }

  /// The embeddings of each prompt, [1, length, d_model], on the CPU. If some are not kept, `encode` is
  /// called once for them, and with them for prompts of coming clips until their embeddings take `room`
  /// bytes. `encoder` identifies the text encoder.
  using Encode = std::function<std::vector<Tensor>(const std::vector<std::string>& prompts)>;
  std::vector<Tensor> embeds(const std::string& encoder, const std::vector<std::string>& prompts, size_t room,
                             const Encode& encode);

  /// A function that throws Stopped if the present clip is to stop. Models that outlive a clip may call it as
  /// long as this store lives.
  std::function<void()> stop_check() const;

 private:
  using Identity = std::pair<std::type_index, std::string>;
  struct Kept {
    Identity identity;
    std::shared_ptr<const void> model;
  };
  /// Removes the kept model of a name. Returns it if it is the wanted one, else null.
  std::shared_ptr<const void> take(const std::string& name, const Identity& wanted);

  ComingClips coming_;
  std::shared_ptr<const std::atomic<bool>*> stop_ = std::make_shared<const std::atomic<bool>*>(nullptr);
  std::map<std::string, Kept> models_;
  std::string encoder_;                   ///< the text encoder of embeds_
  std::map<std::string, Tensor> embeds_;  ///< on the CPU
};

}  // namespace t2v
