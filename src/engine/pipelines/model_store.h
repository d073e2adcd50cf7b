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

/// What follows the clip at hand, as far as it can use what that one loads.
struct ComingClips {
  bool same_models = false;               ///< one of them uses the same models in the same way
  std::vector<std::string> prompts = {};  ///< of those that use the same text encoder, in their order
};

/// Models that are loaded and prompts that are encoded, for one clip after another. What no coming clip uses
/// is handed out and forgotten: it lives as long as the clip at hand holds it.
class ModelStore {
 public:
  /// Begins a clip. `control` has to stay valid until the next one begins.
  void begin(const RunControl& control, ComingClips coming);

  /// The model of that name: what is kept under this key, or what `load` makes. Another one of that name is
  /// dropped before that.
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

  /// What `encode` makes of each prompt, [1, length, d_model]. It is asked, once, for those that are not here
  /// and with them for the prompts of coming clips, as far as their embeddings take `room` bytes. `encoder`
  /// tells text encoders apart.
  using Encode = std::function<std::vector<Tensor>(const std::vector<std::string>& prompts)>;
  std::vector<Tensor> embeds(const std::string& encoder, const std::vector<std::string>& prompts, size_t room,
                             const Encode& encode);

  /// Throws Stopped if the clip at hand is to stop. Can be called as long as this store is there, by models
  /// that outlive a clip.
  std::function<void()> stop_check() const;

 private:
  using Identity = std::pair<std::type_index, std::string>;
  struct Kept {
    Identity identity;
    std::shared_ptr<const void> model;
  };
  /// What is kept under that name if it is that one; nothing is kept there any longer.
  std::shared_ptr<const void> take(const std::string& name, const Identity& wanted);

  ComingClips coming_;
  std::shared_ptr<const std::atomic<bool>*> stop_ = std::make_shared<const std::atomic<bool>*>(nullptr);
  std::map<std::string, Kept> models_;
  std::string encoder_;                   ///< of embeds_
  std::map<std::string, Tensor> embeds_;  ///< on the CPU
};

}  // namespace t2v
