#include "pipelines/model_store.h"

#include <utility>

namespace t2v {
namespace {

/// So many are encoded together at most, which bounds the memory for a night's batch.
constexpr size_t kPromptsAtOnce = 256;

}  // namespace

void ModelStore::begin(const RunControl& control, ComingClips coming) {
  *stop_ = control.stop;
  coming_ = std::move(coming);
}

std::shared_ptr<const void> ModelStore::take(const std::string& name, const Identity& wanted) {
  const auto found = models_.extract(name);
  if (found.empty() || found.mapped().identity != wanted) return nullptr;
  return found.mapped().model;
}

std::vector<Tensor> ModelStore::embeds(const std::string& encoder, const std::vector<std::string>& prompts,
                                       const Encode& encode) {
  if (encoder != encoder_) embeds_.clear();
  encoder_ = encoder;
  std::map<std::string, Tensor> wanted;
  std::vector<std::string> missing;
  const auto want = [&](const std::string& prompt) {
    const auto known = embeds_.find(prompt);
    const bool is_new = wanted.emplace(prompt, known != embeds_.end() ? known->second : Tensor()).second;
    if (is_new && known == embeds_.end()) missing.push_back(prompt);
  };
  for (const std::string& prompt : prompts) want(prompt);
  const bool encodes = !missing.empty();
  for (const std::string& prompt : coming_.prompts) {
    if (embeds_.contains(prompt) || (encodes && missing.size() < kPromptsAtOnce)) want(prompt);
  }
  if (encodes) {
    const std::vector<Tensor> rows = encode(missing);
    for (size_t i = 0; i < missing.size(); ++i) wanted.at(missing[i]) = rows[i].cpu();
  }
  embeds_ = std::move(wanted);
  std::vector<Tensor> result;
  for (const std::string& prompt : prompts) result.push_back(embeds_.at(prompt));
  return result;
}

std::function<void()> ModelStore::stop_check() const {
  return [stop = stop_] {
    if (*stop != nullptr && **stop) throw Stopped{};
  };
}

}  // namespace t2v
