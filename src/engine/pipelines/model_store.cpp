#include "engine/pipelines/model_store.h"

#include <algorithm>
#include <utility>

namespace t2v {
namespace {

/// Approximate bytes of the embeddings of a prompt by the largest text encoder.
size_t embeds_bytes(const std::string& prompt) {
  constexpr size_t kOfToken = 4096 * sizeof(float), kBytesOfToken = 2, kMostTokens = 512;
  return std::min(prompt.size() / kBytesOfToken + 1, kMostTokens) * kOfToken;
}

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
                                       size_t room, const Encode& encode) {
  if (encoder != encoder_) embeds_.clear();
  encoder_ = encoder;
  std::map<std::string, Tensor> wanted;
  std::vector<std::string> missing;
  size_t taken = 0;
  const auto want = [&](const std::string& prompt) {
    const auto known = embeds_.find(prompt);
    const bool is_new = wanted.emplace(prompt, known != embeds_.end() ? known->second : Tensor()).second;
    if (!is_new || known != embeds_.end()) return;
    missing.push_back(prompt);
    taken += embeds_bytes(prompt);
  };
  for (const std::string& prompt : prompts) want(prompt);
  const bool encodes = !missing.empty();
  for (const std::string& prompt : coming_.prompts) {
    if (embeds_.contains(prompt) || (encodes && taken < room)) want(prompt);
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
